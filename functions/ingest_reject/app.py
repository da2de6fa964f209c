"""Dead letters: taken up once more where that may help; elsewhere the document ends as failed, with the reason."""

from shared.runtime.rejecting import settle_letter
from shared.runtime.worker import dead_letter_function

handler = dead_letter_function(settle_letter)
