"""What makes a function a Lambda function."""

import gc

# A cold start makes hundreds of thousands of objects that stay for life. Looking through them again every 700
# allocations took a tenth of the start; `settle` ends the exception.
gc.set_threshold(400_000, 20, 20)


def settle() -> None:
    """What is there after the first invocation is taken to stay: the garbage collector passes over it from now on.

    A process with a request at a time and a few MB of garbage can still look more seldom than Python does by itself.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
