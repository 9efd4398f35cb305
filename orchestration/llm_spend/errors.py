"""The one error a person sees as a single line."""


class UserError(Exception):
    """What is wrong, where, and what to do, in one line.

    `exit_code` is 2 for wrong usage or unreadable input and 1 for a run that failed.
    """

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code
