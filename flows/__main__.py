"""`python -m flows COMMAND ...` is `threeply COMMAND ...`."""

from flows.cli import main

raise SystemExit(main())
