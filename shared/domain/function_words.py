"""Words that say nothing of a subject, in the languages documents come in most."""


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


FUNCTION_WORDS = _listed(
    """
    a about above after again against all also although am an and any are as at be because been before being below
    between both but by can could did do does doing don down during each either else etc few for from further had has
    have having he her here hers him himself his how however i if in into is it its itself just let may me might more
    most must my neither no nor not now of off on once only or other our ours out over own rather same shall she should
    since so some such than that the their theirs them themselves then there these they this those though through thus
    to too under until up upon us very via was we were what when where whether which while who whom whose why will with
    within without would yet you your yours

    aber als am an auch auf aus bei bis da das dass dem den der des die doch du durch ein eine einem einen einer eines
    er es für hat haben ich ihr ihre im in ist ja kann mit nach nicht noch nur oder sein sich sie sind über um und uns
    unter vom von vor war waren was wenn wer wie wir wird wo zu zum zur

    au aux avec ce ces cette dans de des du elle en est et eux il ils je la le les leur lui mais ne nous on ont ou où
    par pas pour qu que qui sa se ses son sont sur un une vous était

    al como con de del el ella en entre era es esta este fue ha la las le lo los más no o para pero por que se ser si
    sin sobre son su sus un una y ya

    ao com da das do dos e ela ele em foi na não nas no nos o os ou para pela pelo por que se seu sua um uma

    agli ai al alla anche che chi ci come con da dal dalla degli dei del della delle di e era gli ha i il in la le lo
    ma nel nella non per più si sono su sul sulla tra un una uno è

    aan als bij dat de die door een en er het hij in is met naar niet of om ook op te tot uit van voor was werd wordt
    zich zij zijn

    а без был была были было в во для до его ее же за и из или их к как когда который ли на не него но о об он она они
    оно от по при с со так также то у что это
    """
)
