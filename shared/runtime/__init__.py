"""What makes a function a Lambda function."""

import gc

# A cold start makes hundreds of thousands of objects that stay for life. Looking through them again every 700
# allocations took a tenth of the start; a process with a request at a time and a few MB of garbage can look later.
gc.set_threshold(50_000, 20, 20)
