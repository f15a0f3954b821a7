"""What stands at a path. Where nobody may look, nothing is there: these never raise, as pathlib's methods do when a
directory on the way is closed (PermissionError, up to Python 3.13) or a name is too long.
"""

from os.path import exists
from os.path import isdir as is_dir
from os.path import isfile as is_file
from os.path import islink as is_link

__all__ = ["exists", "is_dir", "is_file", "is_link"]
