"""`python -m tasks STAGE ...`."""

from tasks.command import main

raise SystemExit(main())
