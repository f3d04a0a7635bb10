"""The errors Hardwear raises: each says what was expected, what came, and what to do next."""


class HardwearError(Exception):
    """Base of every error meant for the user; the CLI prints it as one line and exits with `exit_code`."""

    exit_code = 2


class DatasetError(HardwearError):
    """A data set is missing, truncated, foreign or fails its checks."""


class DatasetUnavailable(DatasetError):
    """No data were named, none are in the cache, and they can't be downloaded: nothing is wrong, they are absent."""


class TrainingError(HardwearError):
    """Training can't start or go on: bad settings, labels out of range, NaN loss."""


class StudyError(HardwearError):
    """A study's results file is of another study, or what it is to measure is not there."""


class ConversionError(HardwearError):
    """A network can't be converted to int8; the message names layer and op."""


class BundleError(HardwearError):
    """A bundle is incomplete, damaged or of another format version."""


class BuildError(HardwearError):
    """The firmware can't be built, or the tools that build it are missing."""


class LinkError(HardwearError):
    """The device can't be found, does not answer, or answers with an error."""


class BundleMismatch(LinkError):
    """The device runs another bundle than the one it is compared with; the message names both identities."""


class ReplayMismatch(HardwearError):
    """Device and Python disagree; the message names the first diverging window."""

    exit_code = 1
