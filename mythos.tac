"""The same house for ``twistd -n -y mythos.tac``, from any directory; options come from environment and mythos.yaml."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from twisted.application.service import Application

from mythos.tap import Options, makeService

application = Application("mythos")
makeService(Options()).setServiceParent(application)
