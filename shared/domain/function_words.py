"""Words that say nothing of a subject, in the languages documents come in most."""

from shared.domain.words import words

_WRITTEN = """
    a about above after again against all also although am an and any are as at be because been before being
    below between both but by can could did do does doing don down during each either else etc few for from
    further had has have having he her here hers him himself his how however i if in into is it its itself just
    let may me might more most must my neither no nor not now of off on once only or other our ours out over own
    rather same shall she should since so some such than that the their theirs them themselves then there these
    they this those though through thus to too under until up upon us very via was we were what when where
    whether which while who whom whose why will with within without would yet you your yours

    aber als am an auch auf aus bei bis da das dass dem den der des die doch du durch ein eine einem einen einer
    eines er es für hat haben ich ihr ihre im in ist ja kann mit nach nicht noch nur oder sein sich sie sind
    über um und uns unter vom von vor war waren was wenn wer wie wir wird wo zu zum zur

    au aux avec ce ces cette dans de des du elle en est et eux il ils je la le les leur lui mais ne nous on ont
    ou où par pas pour qu que qui sa se ses son sont sur un une vous était

    al como con de del el ella en entre era es esta este fue ha la las le lo los más no o para pero por que se
    ser si sin sobre son su sus un una y ya

    ao com da das do dos e ela ele em foi na não nas no nos o os ou para pela pelo por que se seu sua um uma

    agli ai al alla anche che chi ci come con da dal dalla degli dei del della delle di e era gli ha i il in la
    le lo ma nel nella non per più si sono su sul sulla tra un una uno è

    aan als bij dat de die door een en er het hij in is met naar niet of om ook op te tot uit van voor was werd
    wordt zich zij zijn

    а без был была были было в во для до его ее же за и из или их к как когда который ли на не него но о об он
    она они оно от по при с со так также то у что это

    ο η το οι τα του της των τον την τις τους στο στη στην στον στα στις στους και να που με για από σε είναι
    ήταν δεν θα έχει είχε ένα ένας μια ως αυτό αυτή αυτά ποιος ποια ποιο ποιοι ποιες ποιον τι πότε πού πως γιατί
    πόσο πόσα πόσες πόσοι κατά μετά αλλά όπως

    ve bir bu da de için ile ne kim hangi nasıl neden niçin kaç nerede zaman olan olarak gibi daha çok en mi mı
    mu mü idi ise kadar sonra önce tarafından olduğu nedir kimdir

    și în la de al ale cu pe din pentru este sunt era au fost că ce care cine când unde cum câți câte cât un
    unei unui mai nu sau prin după lui

    w z na do się nie jest są to że jak co kto kiedy gdzie dlaczego ile który która które od po przez dla był
    była było

    och att det som en ett den är av för på med till var vad vem när hur många inte om från og er et til hvad
    hvem hvornår hvor

    और का के की में है हैं को से पर ने यह वह एक था थे थी क्या कौन कब कहाँ कैसे क्यों कितने कितनी कितना किस किसने
    किसे जो लिए तक भी नहीं हो कर करने किया गया द्वारा इस उस अपने कौनसा

    في من على إلى عن هو هي ما ماذا متى أين كيف لماذا كم التي الذي كان كانت هذا هذه ذلك أن مع أو لا لم قد بعد قبل
    عند هل أي

    và của là có được trong cho các những một này đó đã với không từ khi nào gì ai đâu như thế bao nhiêu tại sao
    về vào ra ở bởi để theo đến sự

    什么 为什么 多少 哪个 哪里 哪些 如何 怎么 何时 是谁 是什么 です ます でした ました する した
    """
FUNCTION_WORDS = frozenset(words(_WRITTEN))
"""As `shared.domain.words` spells them: für is fur, l'été is ete."""
