"""`python -m peftide`."""

import sys

from peftide.cli import main

sys.exit(main())
