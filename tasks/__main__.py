"""`python -m tasks STAGE ...`."""

import logging
import sys

from tasks.command import main
from tasks.machine.process import end_with_parent, environment, restart_with, stand_back
from tasks.settings import Settings


def prepare(settings: Settings) -> None:
    """Make this process what a stage runs in; it may begin anew for that."""
    stand_back(settings.parallel.niceness)
    restart_with(environment(settings.run.threads))


end_with_parent()
# It is imported with PEFT, and warns of kernels that it would fetch from a hub.
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
raise SystemExit(main(sys.argv[1:], prepare=prepare))
