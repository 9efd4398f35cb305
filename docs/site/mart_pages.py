"""Pages of the marts, a family each, and of the way of the data, from dbt's manifest."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from statistics import fmean

import lineage
from lineage import Box, Edge

MOST_NEIGHBOURS = 12
"""So many readers, or so many that are read, are drawn one by one; of more, each folder is one box."""

KINDS = {
    "staging": "logs, bills, seeds, staging",
    "intermediate": "intermediate",
    "mart": "this family",
    "other-mart": "other marts",
}
FOLDER_KINDS = {"staging": "staging", "intermediate": "intermediate", "mart": "marts"}

DRAWN_NOWHERE = ("staging/config",)
"""What nearly every folder reads would hide all else."""

Url = Callable[[str], str]
"""The address of a page of the site, given by its path below docs/, as seen from the page that is written."""


class Project:
    """The models of the package by their names, and what the manifest says beside them."""

    def __init__(self, manifest: dict) -> None:
        self._children = manifest["child_map"]
        self._tests = {**manifest["nodes"], **manifest["unit_tests"]}
        own = [node for node in manifest["nodes"].values() if node["package_name"] == "llm_spend"]
        self.seeds = {node["name"]: node for node in own if node["resource_type"] == "seed"}
        self.models = {node["name"]: node for node in own if node["resource_type"] == "model"}
        self._names = {node["unique_id"]: node["name"] for node in (*self.models.values(), *self.seeds.values())}
        self._names |= {source["unique_id"]: source["name"] for source in manifest["sources"].values()}
        self._folders = dict.fromkeys(self.seeds, "seeds")
        self._folders |= {source["name"]: "logs and bills" for source in manifest["sources"].values()}
        self._folders |= {name: "/".join(node["fqn"][1:3]) for name, node in self.models.items()}

    @property
    def families(self) -> list[str]:
        return sorted({node["fqn"][2] for node in self.models.values() if node["fqn"][1] == "marts"})

    @property
    def pages_of_marts(self) -> dict[str, str]:
        """The page of each mart."""
        return {mart["name"]: f"marts/{family}.md" for family in self.families for mart in self.marts(family)}

    def marts(self, family: str) -> list[dict]:
        """The family's marts, by name."""
        inside = [node for node in self.models.values() if node["fqn"][1:3] == ["marts", family]]
        return sorted(inside, key=lambda node: node["name"])

    def folder(self, name: str) -> str:
        """Such as marts/spend; seeds and sources have one for all."""
        return self._folders[name]

    def parents(self, name: str) -> list[str]:
        read = self.models[name]["depends_on"]["nodes"] if name in self.models else []
        return sorted(self._names[node] for node in read)

    def readers(self, name: str) -> list[str]:
        children = self._children[self.models[name]["unique_id"]]
        return sorted({self._names[child] for child in children if child in self._names})

    def tests(self, name: str) -> list[dict]:
        """Data tests and unit tests that are about the model."""
        return [
            self._tests[child]
            for child in self._children[self.models[name]["unique_id"]]
            if child.startswith("unit_test.")
            or (child.startswith("test.") and self._tests[child].get("attached_node") in (None, _id(self, name)))
        ]


def _id(project: Project, name: str) -> str:
    return project.models[name]["unique_id"]


def link_of(project: Project, name: str, url: Url) -> str | None:
    """A mart has its place on its family's page, another model in the dbt docs."""
    node = project.models.get(name)
    if node is None:
        return None
    if node["fqn"][1] == "marts":
        return url(f"{project.folder(name)}.md") + f"#{name}"
    return url("dbt/index.html") + f"#!/model/{node['unique_id']}"


def family_page(project: Project, family: str, introduction: str, url: Url) -> str:
    """The introduction, a picture, and for each mart its grain, key, neighbours, columns and tests, as Markdown."""
    marts = project.marts(family)
    picture = family_picture(project, family, url)
    return "\n\n".join([introduction.rstrip(), picture, *(_mart(project, mart, url) for mart in marts)]) + "\n"


def _mart(project: Project, mart: dict, url: Url) -> str:
    name = mart["name"]
    grain, _, why = " ".join(mart["description"].split()).partition(". ")
    tests = project.tests(name)
    facts = {
        "Key": ", ".join(f"`{column}`" for column in _key(tests)),
        "Reads": ", ".join(_linked(project, other, url) for other in project.parents(name)),
        "Read by": ", ".join(_linked(project, other, url) for other in project.readers(name)),
    }
    columns = [
        f"| `{column['name']}` | {column['data_type']} | {_cell(column['description'])} |"
        for column in mart["columns"].values()
    ]
    return "\n".join(
        [
            f"## `{name}`",
            "",
            f"**{grain.rstrip('.')}.** {why}",
            "",
            *(f"- **{title}:** {text}" for title, text in facts.items() if text),
            "",
            "| column | type | meaning |",
            "|---|---|---|",
            *columns,
            "",
            f'??? success "What is tested: {len(tests)} rules"',
            "",
            *(f"    - {_rule(test, name)}" for test in tests),
        ]
    )


def _key(tests: Iterable[dict]) -> list[str]:
    for test in tests:
        kind = (test.get("test_metadata") or {}).get("name")
        if kind == "unique_grain":
            return test["test_metadata"]["kwargs"]["columns"]
        if kind == "unique":
            return [test["column_name"]]
    return []


def _rule(test: dict, mart: str) -> str:
    """A test in words: they are named for the rule that they prove."""
    words = test["name"].removeprefix(f"{mart}_").replace("_", " ")
    others = (test.get("test_metadata") or {}).get("kwargs", {}).get("other", "")
    if other := re.search(r"ref\('(\w+)'\)", str(others)):
        words += f", against `{other.group(1)}`"
    described = " ".join(test["description"].split())
    return f"**{words}**: {described}" if described else f"**{words}**"


def _linked(project: Project, name: str, url: Url) -> str:
    link = link_of(project, name, url)
    return f'<a href="{link}"><code>{name}</code></a>' if link else f"`{name}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def family_picture(project: Project, family: str, url: Url) -> str:
    """What the family reads, its marts, and who reads them, as SVG."""
    marts = {mart["name"] for mart in project.marts(family)}
    parents = {other for mart in marts for other in project.parents(mart)} - marts
    readers = {other for mart in marts for other in project.readers(mart)} - marts - parents
    drawn_as = {mart: mart for mart in marts}
    boxes = {mart: Box(mart, "mart", f"#{mart}") for mart in sorted(marts)}
    columns = lineage.columns_by_depth(
        marts, [(parent, mart) for mart in marts for parent in project.parents(mart) if parent in marts]
    )
    columns = {mart: column + 1 for mart, column in columns.items()}
    last = max(columns.values()) + 1
    for others, column, role in ((parents, 0, "read"), (readers, last, "reads")):
        for folder, members in _by_folder(project, others).items():
            if len(others) > MOST_NEIGHBOURS and len(members) > 1:
                box = f"{role} {folder}"
                label = f"{folder}: {len(members)}"
                link = url(f"{folder}.md") if folder.startswith("marts/") else url("flow.md")
                boxes[box] = Box(label, _kind(folder), link, ", ".join(members))
                columns[box] = column
                drawn_as |= dict.fromkeys(members, box)
            else:
                for member in members:
                    boxes[member] = Box(member, _kind(folder), link_of(project, member, url), folder)
                    columns[member] = column
                    drawn_as[member] = member
    edges = {(drawn_as[parent], drawn_as[mart]) for mart in marts for parent in project.parents(mart)}
    edges |= {(drawn_as[mart], drawn_as[reader]) for mart in marts for reader in project.readers(mart)}
    return lineage.draw(boxes, edges, columns, f"What the marts of {family} read and who reads them", KINDS)


def _by_folder(project: Project, names: Iterable[str]) -> dict[str, list[str]]:
    folders = defaultdict(list)
    for name in sorted(names):
        folders[project.folder(name)].append(name)
    return dict(sorted(folders.items()))


def _kind(folder: str) -> str:
    layer = folder.partition("/")[0]
    return {"marts": "other-mart", "intermediate": "intermediate"}.get(layer, "staging")


def flow_page(project: Project, introduction: str, url: Url) -> str:
    """The introduction, the folders and what flows between them as a picture and as a table, as Markdown."""
    counts = _folder_edges(project)
    drawn = {edge: count for edge, count in counts.items() if not set(edge) & set(DRAWN_NOWHERE)}
    folders = sorted({folder for edge in drawn for folder in edge})
    boxes = {
        folder: Box(
            folder.partition("/")[2],
            _kind(folder).replace("other-mart", "mart"),
            url(f"{folder}.md") if folder.startswith("marts/") else f"#{_anchor(folder)}",
            folder,
        )
        for folder in folders
    }
    forward = _forward(project, drawn)
    columns = lineage.columns_by_depth(folders, forward)
    rows = [
        _flow_row(project, folder, counts, url) for folder in sorted({folder for edge in counts for folder in edge})
    ]
    return "\n\n".join(
        [
            introduction.rstrip(),
            lineage.draw(
                boxes, drawn, columns, "The folders of models and what flows between them", FOLDER_KINDS, drawn
            ),
            "## Folder by folder",
            "\n".join(["| folder | models | reads | read by |", "|---|---:|---|---|", *rows]),
        ]
    )


def _folder_edges(project: Project) -> Counter[Edge]:
    """How many models of one folder read another."""
    edges: Counter[Edge] = Counter()
    for name in project.models:
        folder = project.folder(name)
        read = {project.folder(parent) for parent in project.parents(name)} - {folder}
        edges.update((other, folder) for other in read if "/" in other)
    return edges


def _forward(project: Project, edges: Mapping[Edge, int]) -> list[Edge]:
    """The edges that lead on, in the order of folders in which the fewest models read back.

    It begins with how deep a folder's models are on average, and moves single folders as long as that helps."""
    models = lineage.columns_by_depth(
        project.models, [(parent, name) for name in project.models for parent in project.parents(name)]
    )
    depths = defaultdict(list)
    for name, depth in models.items():
        depths[project.folder(name)].append(depth)
    order = sorted({folder for edge in edges for folder in edge}, key=lambda f: (fmean(depths[f]), f))

    def back(order: list[str]) -> int:
        places = {folder: place for place, folder in enumerate(order)}
        return sum(count for (start, end), count in edges.items() if places[start] > places[end])

    while True:
        others = [(folder, [other for other in order if other != folder]) for folder in order]
        moved = [[*rest[:place], folder, *rest[place:]] for folder, rest in others for place in range(len(order))]
        best = min(moved, key=back)
        if back(best) >= back(order):
            return [edge for edge in edges if order.index(edge[0]) < order.index(edge[1])]
        order = best


def _flow_row(project: Project, folder: str, counts: Counter[Edge], url: Url) -> str:
    models = sum(project.folder(name) == folder for name in project.models)
    reads = [start for start, end in sorted(counts) if end == folder]
    read_by = [end for start, end in sorted(counts) if start == folder]
    name = f'<a href="{url(folder + ".md")}">{folder}</a>' if folder.startswith("marts/") else folder
    anchor = f'<span id="{_anchor(folder)}"></span>'
    return f"| {anchor}{name} | {models} | {', '.join(reads)} | {', '.join(read_by)} |"


def _anchor(folder: str) -> str:
    return folder.replace("/", "-")
