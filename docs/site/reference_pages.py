"""Reference pages: the command line, from the program itself; settings and seeds, from the dbt project."""

import re
from collections.abc import Iterator

import click
import typer

from llm_spend.cli import app
from mart_pages import Project

DBT_DOCS = """# dbt docs

[Open dbt's own documentation](../dbt/index.html#!/overview/llm_spend): every model, seed, macro and test with its SQL,
and the whole graph. It is one page of some megabytes. Types are those of the contracts; sizes of tables are not in it,
because it is made without a warehouse.

In a project of yours `dbt docs generate` makes the same of your build, this package included.
"""


def command_line() -> str:
    """Every command with its arguments and options, as Markdown."""
    root = typer.main.get_command(app)
    blocks = ["# Command line", "`llm-spend COMMAND --help` says the same in the terminal."]
    for path, command in _commands("llm-spend", root):
        context = click.Context(command, info_name=path)
        usage = " ".join([path, *command.collect_usage_pieces(context)])
        blocks += [f"## `{path}`", (command.help or "").strip(), f"```\n{usage}\n```"]
        rows = [row for parameter in command.params if (row := _row(parameter, context))]
        if rows:
            blocks.append("\n".join(["| option | default | meaning |", "|---|---|---|", *rows]))
    return "\n\n".join(blocks) + "\n"


def _commands(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    commands = getattr(command, "commands", {})
    if not commands or getattr(command, "invoke_without_command", False):
        yield path, command
    for name, inner in commands.items():
        yield from _commands(f"{path} {name}", inner)


def _row(parameter: click.Parameter, context: click.Context) -> str | None:
    if getattr(parameter, "hidden", False) or parameter.name == "help":
        return None
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    name = f"`{parameter.name.upper()}`" if isinstance(parameter, click.Argument) else names
    default = parameter.get_default(context, call=False)
    shown = "" if default in (None, False, ()) or callable(default) else f"`{default}`"
    shown = "required" if parameter.required else shown
    return f"| {name} | {shown} | {' '.join((parameter.help or '').split()).replace('|', '/')} |"


def settings(dbt_project: str) -> str:
    """The vars of dbt_project.yml with their comments, as Markdown."""
    found = re.search(r"^vars:\n(?:(?: .*)?\n)+", dbt_project, re.MULTILINE)
    if found is None:
        raise ValueError("dbt_project.yml has no vars")
    return "\n\n".join(
        [
            "# Settings",
            "Vars of the dbt project. `llm-spend` sets those that its options are about; with dbt they stand in your "
            "`dbt_project.yml` under `vars: llm_spend:`, or in `--vars`. Where a log has a table of its own, the page "
            "of that source names the vars that say where it is.",
            f"```yaml\n{found.group().rstrip()}\n```",
            "What holds in a warehouse, with the releases and the time it is judged from: "
            "[`package_settings`](../marts/quality.md#package_settings). Budgets, rules, aliases and prices are "
            "[configuration files](configuration.md).",
        ]
    )


def seeds(project: Project, folder: str, title: str, introduction: str) -> str:
    """The files of a folder of seeds with their columns, as Markdown."""
    blocks = [f"# {title}", introduction]
    for seed in sorted(project.seeds.values(), key=lambda node: node["name"]):
        if not seed["original_file_path"].startswith(folder):
            continue
        rows = [f"| `{column['name']}` | {_cell(column['description'])} |" for column in seed["columns"].values()]
        blocks += [
            f"## `{seed['name']}.csv`",
            " ".join(seed["description"].split()),
            "\n".join(["| column | meaning |", "|---|---|", *rows]),
        ]
    return "\n\n".join(blocks) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
