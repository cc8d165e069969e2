"""The command."""


def main():
    """Adds."""
    print(sum([1, 2]))
