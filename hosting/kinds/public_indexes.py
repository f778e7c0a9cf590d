"""Where packages come from, and their files, unless an operator has set up other indexes."""

from __future__ import annotations

from typing import Final

PYPI: Final = "https://pypi.org"
PYPI_SIMPLE: Final = f"{PYPI}/simple"
PYPI_FILES: Final = "https://files.pythonhosted.org"
NPM: Final = "https://registry.npmjs.org"
