"""Prints what each rule of the installed focus-validator says of a CSV file, as JSON: rule → status or error.

Run by the validator's own Python, from the directory that holds its package: it opens its list of currencies by a path
relative to that.
"""

import json
import os
import sys
from pathlib import Path

import focus_validator
from focus_validator.data_loaders.data_loader import DataLoader
from focus_validator.rules.spec_rules import SpecRules
from focus_validator.validator import DEFAULT_VERSION_SETS_PATH

RULES = "1.0"


def main() -> None:
    file = Path(sys.argv[1]).absolute()
    os.chdir(Path(focus_validator.__file__).parent.parent)
    rules = SpecRules(
        override_filename=None,
        rule_set_path=DEFAULT_VERSION_SETS_PATH,
        rules_version=RULES,
        column_namespace=None,
    )
    rules.load()
    result = rules.validate(DataLoader(data_filename=str(file)).load())
    outcomes = {name: rule.error or rule.status.value for name, rule in result.checklist.items()}
    json.dump(outcomes, sys.stdout)


if __name__ == "__main__":
    main()
