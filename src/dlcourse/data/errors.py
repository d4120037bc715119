"""What can be wrong with data. Each message names the file, what is wrong, and what to do."""


class DataError(Exception):
    """The data cannot be had or used."""


class DataNotFound(DataError):
    """Nothing is there, or nothing that is CIFAR-10."""


class DamagedData(DataError):
    """The file is cut short, altered or unreadable."""


class WrongData(DataError):
    """The file can be read, but does not hold what CIFAR-10 holds."""


class UnsafeData(DataError):
    """The file asks for code to be run. It was refused, and nothing was run."""


class DownloadFailed(DataError):
    """The official archive could not be fetched, or was not the official one."""
