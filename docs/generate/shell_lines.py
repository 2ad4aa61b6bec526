"""Long commands of a page → the same commands over several lines, broken before options."""

import re

WIDTH = 76
"""Characters of a line that fits beside the two side bars of the site."""
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BEFORE_OPTION = re.compile(r" (?=--[a-z])")


def broken_commands(markdown: str) -> str:
    r"""Break the long lines of all shell blocks; the shell reads the same commands.

    Examples
    --------
    >>> text = f"```sh\npeftide train --data {'d' * 40}.tsv --sequences proteins.fasta\n```"
    >>> print(broken_commands(text).splitlines()[2])
        --sequences proteins.fasta
    """
    return BLOCK.sub(lambda block: f"```sh\n{_broken(block[1])}```", markdown)


def _broken(commands: str) -> str:
    return "".join(f"{_broken_line(line)}\n" for line in commands.splitlines())


def _broken_line(line: str) -> str:
    if len(line) <= WIDTH or "#" in line:
        return line
    lines, *words = BEFORE_OPTION.split(line)
    for word in words:
        last = lines.rsplit("\n", 1)[-1]
        fits = len(last) + len(word) + len("  \\") <= WIDTH
        lines += f" {word}" if fits else f" \\\n    {word}"
    return lines
