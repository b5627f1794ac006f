"""`python -m tasks STAGE ...`."""

import sys

from tasks.command import main
from tasks.process import end_with_parent, restart_with

end_with_parent()
raise SystemExit(main(sys.argv[1:], prepare=restart_with))
