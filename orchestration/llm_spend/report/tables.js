// Tables and charts that several sections share. Each comes with the statement that gives the same from the marts.

const SERIES = 5; // names with a colour of their own; the rest is everything else
const LISTS = Object.fromEntries(Object.entries(data.lists).map(([name, list]) => [name, rowsOf(list)]));
const DRIVERS = rowsOf(data.drivers);
const SAMPLES = rowsOf(data.samples);
const NOTHING = "No call of these days and filters. A wider time range, another tenant or environment may have some.";
const NOT_FILTERED = "The time range and the filters do not narrow this list.";

/** A column of a table. */
const col = (key, label, kind = "text", more = {}) => ({ key, label, kind, ...more });
const byDay = (one, other) => (one.day < other.day ? -1 : 1);

// Measures of a table: as they are, or one divided by another.
const METRICS = {
    cost: { label: "Spend", kind: "usd", bar: true },
    share: { label: "Share", kind: "percent", sql: (m) => `${m.cost} / nullif(sum(${m.cost}) over (), 0)` },
    requests: { label: "Requests", kind: "count" },
    attempts: { label: "Attempts", kind: "count" },
    cost_per_request: { label: "Per request", kind: "unit", ratio: ["cost", "requests"] },
    cost_per_success: { label: "Per success", kind: "unit", ratio: ["cost", "successes"] },
    input_per_request: { label: "Input tokens per request", kind: "count", ratio: ["input_tokens", "requests"] },
    wasted: { label: "Wasted", kind: "usd" },
    wasted_share: { label: "Wasted share", kind: "percent", ratio: ["wasted", "cost"] },
    attempts_per_request: { label: "Attempts per request", kind: "times", ratio: ["attempts", "requests"] },
    without_cost: { label: "Without a known cost", kind: "count" },
    wasted_by_errors: { label: "Errors", kind: "usd" },
    wasted_by_timeouts: { label: "Timeouts", kind: "usd" },
    wasted_by_rate_limits: { label: "Rate limits", kind: "usd" },
    wasted_by_cancelling: { label: "Cancelled", kind: "usd" },
    hit_rate: { label: "Hit rate", kind: "percent", ratio: ["cached_tokens", "input_tokens"] },
    savings: { label: "Saved", kind: "usd" },
    missed: { label: "Still to save", kind: "usd", bar: true },
    revenue: { label: "Pays", kind: "usd" },
    calls: { label: "Calls cost", kind: "usd" },
    allocated: { label: "Share of charges", kind: "usd" },
    margin: { label: "Left", kind: "usd", bar: true },
    margin_ratio: { label: "Margin", kind: "percent", ratio: ["margin", "revenue"] },
};
const SHORT = ["cost", "share", "requests"];
const LONG = [...SHORT, "cost_per_request", "wasted"];

function withRatios(row, metrics, whole) {
    const derived = { ...row, share: whole ? divided(row.cost, whole.cost) : null };
    for (const metric of metrics) {
        const { ratio } = METRICS[metric];
        if (ratio) derived[metric] = divided(row[ratio[0]], row[ratio[1]]);
    }
    return derived;
}

const sqlColumns = (cube, metrics) =>
    metrics.map((metric) => {
        const { ratio, sql } = METRICS[metric];
        const m = cube.measures;
        return [metric, sql ? sql(m) : ratio ? `${m[ratio[0]]} / nullif(${m[ratio[1]]}, 0)` : m[metric]];
    });

/** A Top list: sums by one dimension or two, everything else, and the total. */
function breakdown(
    by,
    {
        title,
        note,
        cube = facts(),
        metrics,
        order = "cost desc",
        wide,
        limit = 10,
        trend = true,
        chosen = tests(),
    } = {},
) {
    const dimension = by.at(-1);
    metrics ??= wide ? LONG : SHORT;
    if (dimension === "user" && !state.pins.includes("user")) {
        // the cube of users holds only those who are named
        const { users: named } = data.cubes;
        const rows = group(named, ["user", "user_type"], tests());
        const everyone = total(SPEND, tests());
        const rest = Object.entries(added(rows, Object.keys(named.measures))).map(([measure, sum]) => [
            measure,
            everyone[measure] - sum,
        ]);
        if (everyone.attempts > added(rows, ["attempts"]).attempts)
            rows.push({ ...Object.fromEntries(rest), user: ELSE });
        return list(named, ["user", "user_type"], rows, everyone);
    }
    return list(cube, by, group(cube, by, chosen), total(cube, chosen));

    function list(of, keys, found, sums) {
        const [sorted, direction] = order.split(" ");
        const days = trend ? daily(of, dimension) : undefined;
        const lines = found
            .map((row) => withRatios({ ...row, quiet: row[dimension] === ELSE }, metrics, sums))
            .map((row) => (row.paying === 0 ? { ...row, revenue: null, margin: null } : row))
            .sort(
                (one, other) =>
                    one.quiet - other.quiet ||
                    (direction ? other[sorted] - one[sorted] : (one[sorted] ?? Infinity) - (other[sorted] ?? Infinity)),
            );
        const hidden = lines.length > limit + 1 ? lines.slice(limit) : [];
        const others = hidden.length
            ? [
                  {
                      ...withRatios(added(hidden, Object.keys(of.measures)), metrics, sums),
                      [dimension]: ELSE,
                      quiet: true,
                      stands: hidden.filter((row) => !row.quiet).length,
                  },
              ]
            : [];
        const label = (row) =>
            row.stands
                ? everythingElse(dimension, row.stands + (hidden.at(-1).quiet ? data.others[dimension] : 0))
                : (row[dimension] ?? everythingElse(dimension, data.others[dimension]));
        const columns = [
            {
                key: dimension,
                label: capital(KINDS[dimension][0]),
                kind: "text",
                href: (row) => (row.quiet || !found.length ? undefined : pinned(keys, row)),
                show: (row) =>
                    named(
                        row === foot ? "Total" : label(row),
                        row === foot || row.quiet ? undefined : pinned(keys, row),
                    ),
            },
            ...keys
                .filter((key) => key !== dimension)
                .map((key) => ({
                    key,
                    label: key === "user_type" ? "Type" : capital(KINDS[key][0]),
                    kind: "text",
                    show: (row) => (row === foot ? "" : (row[key] ?? "")),
                })),
            ...(days
                ? [
                      col("trend", "By day", "node", {
                          class: "trend",
                          show: (row) => (row === foot ? "" : spark(days(row[dimension]))),
                      }),
                  ]
                : []),
            ...metrics.map((metric) => ({ key: metric, ...METRICS[metric] })),
        ];
        const foot = withRatios(sums, metrics, sums);
        const exported = () => [
            [...keys, ...metrics],
            ...lines.map((row) => [
                ...keys.map((key) => (key === dimension ? label(row) : row[key])),
                ...metrics.map((metric) => row[metric]),
            ]),
        ];
        return panel({
            title: title ?? `Top ${KINDS[dimension][1].toLowerCase()}`,
            note,
            wide,
            tables: [
                table(columns, [...lines.slice(0, limit), ...others, ...lines.slice(limit)], {
                    foot,
                    caption: title ?? KINDS[dimension][1],
                    limit,
                }),
            ],
            sql: () => statement(of, keys, sqlColumns(of, metrics), order),
            exported,
            empty: found.length ? undefined : NOTHING,
        });
    }
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

function pinned(keys, row) {
    const chosen = Object.fromEntries(
        keys.filter((key) => key in KINDS && row[key] !== ELSE).map((key) => [key, row[key]]),
    );
    return address("focus", chosen);
}

/** Dollars of each day, for the small lines in a Top list. */
function daily(cube, dimension) {
    const days = DAYS.filter((day) => day >= state.from && day <= state.to);
    const byName = new Map();
    for (const row of group(cube, [dimension, "day"], tests())) {
        if (!byName.has(row[dimension])) byName.set(row[dimension], new Map());
        byName.get(row[dimension]).set(row.day, row.cost);
    }
    return (name) => (byName.has(name) ? days.map((day) => byName.get(name).get(day) ?? 0) : []);
}

/** Dollars by day, stacked by the names of a dimension. */
function spendByDay(dimension, { title = "Spend by day", wide = true } = {}) {
    const cube = dimension === "user" ? data.cubes.users : facts();
    const names = group(cube, [dimension], tests())
        .filter((row) => row[dimension] !== ELSE)
        .slice(0, SERIES)
        .map((row) => row[dimension]);
    const slot = new Map(names.map((name, place) => [name, place]));
    const sums = new Map();
    for (const row of group(cube, ["day", dimension], tests())) {
        const key = `${row.day} ${slot.get(row[dimension]) ?? SERIES}`;
        const seen = sums.get(key) ?? { day: row.day, slot: slot.get(row[dimension]) ?? SERIES, usd: 0 };
        seen.usd += row.cost;
        sums.set(key, seen);
    }
    const rows = [...sums.values()].map((row) => ({
        ...row,
        date: longDate(row.day),
        name: names[row.slot] ?? "everything else",
        spend: usd(row.usd),
    }));
    const days = group(cube, ["day"], tests()).sort(byDay);
    const whole = total(cube, tests());
    const dearest = days.reduce((best, row) => (row.cost > (best?.cost ?? -1) ? row : best), null);
    const label = dearest
        ? `${usd(whole.cost)} from ${longDate(state.from)} to ${longDate(state.to)}; the dearest day is ${longDate(dearest.day)} with ${usd(dearest.cost)}.`
        : "";
    return panel({
        title,
        wide,
        note: label,
        chart: {
            name: "spend",
            rows,
            label: `${title}. ${label}`,
            onclick: (datum) =>
                datum.date && (location.hash = address(state.section, { from: dayOf(datum), to: dayOf(datum) })),
            legend: [
                ...names.map((name, place) => [name, place, drill(dimension, name)]),
                ...(rows.some((row) => row.slot === SERIES) ? [["everything else", SERIES]] : []),
            ],
        },
        tables: [
            table(
                [
                    col("day", "Day", "text", {
                        href: (row) => address(state.section, { from: row.day, to: row.day }),
                    }),
                    ...["cost", "requests", "cost_per_request", "wasted"].map((key) => ({ key, ...METRICS[key] })),
                ],
                days.map((row) => withRatios(row, ["cost_per_request"])),
                { caption: title, limit: 400 },
            ),
        ],
        sql: () => statement(cube, ["day", dimension], [["cost", cube.measures.cost]], "day"),
        exported: () => [
            ["day", dimension, "cost"],
            ...group(cube, ["day", dimension], tests())
                .sort(byDay)
                .map((row) => [row.day, row[dimension] ?? "everything else", row.cost]),
        ],
        empty:
            days.length > 1
                ? undefined
                : days.length
                  ? `${usd(whole.cost)} on ${longDate(days[0].day)}. A chart over time needs a second day.`
                  : NOTHING,
    });
}

const dayOf = (datum) => new Date(datum.utcyearmonthdate_day ?? datum.day).toISOString().slice(0, 10);

/** Cost per request by day, one line for each prompt version. */
function unitCost() {
    const cube = facts();
    const versions = group(cube, ["version"], tests({ without: ["version"] }))
        .filter((row) => row.version !== ELSE)
        .slice(0, SERIES)
        .map((row) => row.version);
    const days = group(cube, ["day", "version"], tests({ without: ["version"] })).filter(
        (row) => versions.includes(row.version) && row.requests,
    );
    const rows = days.map((row) => ({
        day: row.day,
        slot: versions.indexOf(row.version),
        value: row.cost / row.requests,
        date: longDate(row.day),
        name: row.version,
        amount: `${unit(row.cost / row.requests)} × ${count(row.requests)}`,
    }));
    return panel({
        title: "Cost per request, by prompt version",
        wide: true,
        chart: {
            name: "unit_cost",
            rows: rows.sort(byDay),
            label: `Cost per request by day of ${versions.join(", ")}`,
            legend: versions.map((name, place) => [name, place, drill("version", name)]),
        },
        tables: [
            table(
                [
                    col("day", "Day"),
                    col("version", "Version"),
                    ...["cost_per_request", "requests", "cost"].map((key) => ({ key, ...METRICS[key] })),
                ],
                days.sort(byDay).map((row) => withRatios(row, ["cost_per_request"])),
                { limit: 400, caption: "Cost per request" },
            ),
        ],
        sql: () => {
            const pins = state.pins;
            state.pins = pins.filter((pin) => pin !== "version");
            const sql = statement(
                cube,
                ["day", "version"],
                sqlColumns(cube, ["cost_per_request", "requests", "cost"]),
                "day",
            );
            state.pins = pins;
            return sql;
        },
        exported: () => [
            ["day", "version", "cost_per_request", "requests", "cost"],
            ...days.map((row) => [row.day, row.version, row.cost / row.requests, row.requests, row.cost]),
        ],
        empty:
            new Set(rows.map((row) => row.day)).size > 1
                ? undefined
                : rows.length
                  ? "A chart over time needs a second day."
                  : NOTHING,
    });
}

const isKept = (dimension, name) =>
    (data.cubes.users.columns[dimension] ?? SPEND.columns[dimension])?.names.includes(name);

/** A list of a mart as it is, narrowed by what is chosen where it has the column. */
function listed(name, columns, { title, note, empty, wide, limit, keep = () => true, chart }) {
    const all = LISTS[name] ?? [];
    const narrowing = { tenant: "tenant_id", endpoint: "endpoint_tag", version: "prompt_version" };
    const by = Object.entries(narrowing).filter(
        ([pin, column]) => state[pin] !== undefined && data.lists[name]?.columns[column],
    );
    const rows = all.filter((row) => by.every(([pin, column]) => row[column] === state[pin])).filter(keep);
    const sql = data.lists[name]?.sql;
    const narrowed = by.length
        ? `select * from (\n${sql}\n) as listed\nwhere ${by.map(([pin, column]) => `${column} = ${literal(state[pin])}`).join(" and ")}`
        : sql;
    const names = Object.keys(data.lists[name]?.columns ?? {});
    return panel({
        title,
        note,
        wide,
        chart: chart?.(rows),
        tables: [table(columns, rows, { caption: title, limit })],
        sql: narrowed,
        exported: () => [names, ...rows.map((row) => names.map((column) => row[column]))],
        empty: rows.length ? undefined : empty,
    });
}
