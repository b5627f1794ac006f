"""`python -m tasks STAGE ...`."""

import logging
import sys

from tasks.command import main
from tasks.machine.process import end_with_parent, restart_with

end_with_parent()
# It is imported with PEFT, and warns of kernels that it would fetch from a hub.
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
raise SystemExit(main(sys.argv[1:], prepare=restart_with))
