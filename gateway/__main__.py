"""`python -m gateway`, where `nabd` is not installed."""

from gateway.cli import main

raise SystemExit(main())
