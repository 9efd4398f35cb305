// What is looked at: a section, filters and pins. All of it stands in the address, so that every view is a link.

const SPEND = data.cubes.spend;
const DAYS = SPEND.columns.day.names;
const [FIRST, LAST] = [DAYS[0] ?? null, DAYS.at(-1) ?? null];
const PRODUCTION = "prod real";
const EVERYTHING = "all";
const PINS = ["endpoint", "user", "version", "model", "agent"];
const KINDS = {
    tenant: ["tenant", "Tenants"],
    endpoint: ["endpoint", "Endpoints"],
    user: ["user", "Users"],
    version: ["prompt version", "Prompt versions"],
    model: ["model", "Models"],
    agent: ["agent", "Agents"],
};
const DEFAULTS = { from: FIRST, to: LAST, traffic: PRODUCTION, tenant: undefined };

let state = {};

/** The address → section and values, pins in the order in which they were chosen. */
function readAddress() {
    const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
    const values = Object.fromEntries(new URLSearchParams(query));
    state = {
        section: path || "overview",
        ...DEFAULTS,
        ...values,
        pins: Object.keys(values).filter((key) => PINS.includes(key)),
    };
    if (!(state.from >= FIRST && state.from <= LAST)) state.from = FIRST;
    if (!(state.to <= LAST && state.to >= state.from)) state.to = LAST;
}

/** The address of this view with some of it changed; undefined takes a value out. */
function address(section, changes = {}) {
    const kept = Object.fromEntries(
        ["from", "to", "traffic", "tenant", ...(section === "focus" ? state.pins : [])].map((key) => [key, state[key]]),
    );
    const values = Object.entries({ ...kept, ...changes }).filter(
        ([key, value]) => value !== undefined && value !== DEFAULTS[key],
    );
    const query = new URLSearchParams(values).toString();
    return `#/${section}${query ? `?${query}` : ""}`;
}

/** Where a click on a name leads: that name beside what is chosen already. */
const drill = (dimension, name) => (name === ELSE ? undefined : address("focus", { [dimension]: name }));

/** The filters and pins as tests of names. */
function tests({ without = [] } = {}) {
    return [
        ["day", (day) => day >= state.from && day <= state.to],
        ["traffic", (name) => state.traffic === EVERYTHING || name === state.traffic],
        ...["tenant", ...state.pins]
            .filter((dimension) => state[dimension] !== undefined)
            .map((dimension) => [dimension, (name) => name === state[dimension]]),
    ].filter(([dimension]) => !without.includes(dimension));
}

/** Margins are those of one month: the chosen one, else the last of the time range. */
const MONTHS = data.cubes.margin.columns.day.names;
const chosenMonth = () =>
    MONTHS.includes(state.month) ? state.month : (MONTHS.filter((month) => month <= state.to).at(-1) ?? MONTHS[0]);

/** The same as SQL, for a cube's relation. */
function conditions(cube) {
    const columns = cube.dimensions;
    const chosen = [
        cube === data.cubes.margin
            ? `${columns.day} = date ${literal(chosenMonth())}`
            : `${columns.day} between date ${literal(state.from)} and date ${literal(state.to)}`,
    ];
    if (columns.traffic && state.traffic === PRODUCTION) chosen.push("is_in_scope");
    else if (columns.traffic && state.traffic !== EVERYTHING)
        chosen.push(`${columns.traffic} = ${literal(state.traffic)}`);
    for (const dimension of ["tenant", ...state.pins]) {
        if (columns[dimension] && state[dimension] !== undefined)
            chosen.push(`${columns[dimension]} = ${literal(state[dimension])}`);
    }
    return chosen;
}

/** The statement of a table of sums: `columns` are [name, SQL]. */
function statement(cube, by, columns, order = "cost desc") {
    const selected = [...by.map((dimension) => [dimension, cube.dimensions[dimension]]), ...columns];
    const grouped = by.length
        ? `\ngroup by ${by.map((_, place) => place + 1).join(", ")}\norder by ${[order, ...by].join(", ")}`
        : "";
    return (
        `select\n${selected.map(([name, sql]) => `    ${sql === name ? sql : `${sql} as ${name}`}`).join(",\n")}\n` +
        `from ${cube.relation}\nwhere\n    ${conditions(cube).join("\n    and ")}${grouped}`
    );
}

/** The sums to look at: those by user once a user is chosen, for only they know users. */
const facts = () => (state.pins.includes("user") ? data.cubes.users : SPEND);
const everythingElse = (dimension, hidden) => `everything else${hidden ? ` (${count(hidden)})` : ""}`;
