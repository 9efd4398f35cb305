// Sections of one question each.

const tenants = () => [
    spendByDay("tenant"),
    breakdown(["tenant"], { title: "Tenants", wide: true, limit: 25, metrics: [...LONG, "cost_per_success"] }),
    drivers(),
];
const endpoints = () => [
    spendByDay("endpoint"),
    breakdown(["endpoint"], {
        title: "Endpoints",
        wide: true,
        limit: 25,
        metrics: [...LONG, "cost_per_success", "input_per_request"],
    }),
    drivers(),
];
const users = () => [
    breakdown(["user"], {
        title: "Users",
        wide: true,
        limit: 25,
        note: "The dearest of all and of each endpoint by name. Services are marked as such, so that they do not hide among people.",
    }),
    breakdown(["agent"], { title: "Agents", wide: true }),
    spendByDay("agent", { title: "Spend by day and agent" }),
];
const models = () => [
    spendByDay("model"),
    breakdown(["model"], {
        title: "Models",
        wide: true,
        limit: 25,
        metrics: [...LONG, "cost_per_success", "hit_rate"],
    }),
    listed(
        "routing",
        [
            col("endpoint_tag", "Endpoint", "text", {
                href: (row) => (isKept("endpoint", row.endpoint_tag) ? drill("endpoint", row.endpoint_tag) : undefined),
            }),
            col("model", "In use"),
            col("candidate", "Candidate"),
            col("attempts", "Attempts", "count"),
            col("cost_usd", "Cost", "usd"),
            col("candidate_cost_usd", "At the candidate", "usd"),
            col("savings_usd", "Saves", "usd", { bar: true }),
            col("savings_ratio", "", "percent"),
            col("success_ratio", "Success now", "percent"),
            col("candidate_success_ratio", "Candidate's", "percent"),
        ],
        {
            title: "The same calls at another model",
            wide: true,
            note: "Tokens of the last 28 whole days at the candidate's prices. Whether its answers are as good is yours to test.",
            empty: "No cheaper candidate is named. Candidates are rows of routing_candidates.csv, in your own configuration.",
        },
    ),
    silentChanges(),
];
const versions = () => [
    versionChanges(),
    silentChanges(),
    breakdown(["endpoint", "version"], {
        title: "Spend by prompt version",
        wide: true,
        limit: 25,
        metrics: [...LONG, "input_per_request"],
    }),
];

const CAUSES = ["wasted_by_errors", "wasted_by_timeouts", "wasted_by_rate_limits", "wasted_by_cancelling"];

function retries() {
    const whole = total(SPEND, tests());
    const days = group(SPEND, ["day"], tests()).sort(byDay);
    const rejected = (row) => row.wasted - CAUSES.reduce((sum, cause) => sum + row[cause], 0);
    const causes = [
        ...CAUSES.map((key) => [METRICS[key].label.toLowerCase(), (row) => row[key]]),
        ["answered, and asked again", rejected],
    ];
    const rows = days
        .flatMap((row) =>
            causes.map(([name, of], slot) => ({
                day: row.day,
                slot,
                usd: of(row),
                date: longDate(row.day),
                name,
                spend: usd(of(row)),
            })),
        )
        .filter((row) => row.usd > 1e-12);
    const metrics = ["wasted", "wasted_share", "requests", "attempts", "attempts_per_request", ...CAUSES];
    const says = `${usd(whole.wasted)}, ${percent(divided(whole.wasted, whole.cost))} of the spend, went to attempts that gave no useful answer.`;
    return [
        figures(
            ["Wasted", usd(whole.wasted), `${percent(divided(whole.wasted, whole.cost))} of the spend`],
            [
                "Attempts per request",
                times(divided(whole.attempts, whole.requests)),
                `${count(whole.attempts - whole.requests)} more attempts than requests`,
            ],
        ),
        panel({
            title: "Wasted by day and cause",
            wide: true,
            note: says,
            chart: {
                name: "spend",
                rows,
                label: says,
                legend: causes
                    .map(([name], slot) => [name, slot])
                    .filter(([, slot]) => rows.some((row) => row.slot === slot)),
            },
            tables: [
                table([col("day", "Day"), ...["wasted", ...CAUSES].map((key) => ({ key, ...METRICS[key] }))], days, {
                    limit: 400,
                    caption: "Wasted by day",
                }),
            ],
            sql: () => statement(SPEND, ["day"], sqlColumns(SPEND, ["wasted", ...CAUSES]), "day"),
            exported: () => [
                ["day", "wasted", ...CAUSES],
                ...days.map((row) => [row.day, row.wasted, ...CAUSES.map((cause) => row[cause])]),
            ],
            empty: !whole.attempts
                ? NOTHING
                : !rows.length
                  ? "Nothing was wasted: no retry in these days."
                  : days.length > 1
                    ? undefined
                    : says,
        }),
        breakdown(["endpoint"], {
            title: "Waste by endpoint",
            wide: true,
            cube: SPEND,
            metrics,
            order: "wasted desc",
            trend: false,
        }),
        breakdown(["tenant"], {
            title: "Waste by tenant",
            wide: true,
            cube: SPEND,
            metrics: metrics.slice(0, 5),
            order: "wasted desc",
            trend: false,
        }),
        listed(
            "hidden_retries",
            [
                col("endpoint_tag", "Endpoint"),
                col("hidden_retries", "Retries under new ids", "count"),
                col("hidden_retries_cost_usd", "Cost", "usd"),
            ],
            {
                title: "Retries that hide under new request ids",
                note: `They count as requests above. ${NOT_FILTERED}`,
                empty: "No sign of a client that makes a new request id for each retry.",
            },
        ),
    ];
}

function cache() {
    const cube = data.cubes.cache;
    const whole = total(cube, tests());
    const names = group(cube, ["endpoint"], tests())
        .filter((row) => row.endpoint !== ELSE && row.input_tokens)
        .slice(0, SERIES)
        .map((row) => row.endpoint);
    const days = group(cube, ["day", "endpoint"], tests())
        .filter((row) => names.includes(row.endpoint) && row.input_tokens)
        .sort(byDay);
    const rows = days.map((row) => ({
        day: row.day,
        slot: names.indexOf(row.endpoint),
        value: row.cached_tokens / row.input_tokens,
        date: longDate(row.day),
        name: row.endpoint,
        amount: percent(row.cached_tokens / row.input_tokens),
    }));
    const metrics = ["missed", "savings", "hit_rate", "cost"];
    const says = `${percent(divided(whole.cached_tokens, whole.input_tokens))} of the input came from the providers' prompt caches, which saved ${usd(whole.savings)}.`;
    const scope =
        state.tenant !== undefined || state.traffic !== PRODUCTION
            ? "This mart knows neither tenants nor environments: production as a whole."
            : undefined;
    return [
        figures(
            ["Input from the cache", percent(divided(whole.cached_tokens, whole.input_tokens))],
            ["Saved", usd(whole.savings), "against the price without a cache"],
            [
                "Still to save",
                usd(whole.missed),
                "at the best rate that each endpoint had",
                whole.missed > 0 ? "warn" : undefined,
            ],
        ),
        scope && el("p", { class: "note wide" }, scope),
        panel({
            title: "Hit rate by day",
            wide: true,
            note: says,
            chart: {
                name: "hit_rate",
                rows,
                label: says,
                legend: names.map((name, place) => [name, place, drill("endpoint", name)]),
            },
            tables: [
                table(
                    [col("day", "Day"), col("endpoint", "Endpoint"), { key: "hit_rate", ...METRICS.hit_rate }],
                    days.map((row) => withRatios(row, ["hit_rate"])),
                    { limit: 400, caption: "Hit rate by day" },
                ),
            ],
            sql: () => statement(cube, ["day", "endpoint"], sqlColumns(cube, ["hit_rate"]), "day"),
            exported: () => [
                ["day", "endpoint", "hit_rate"],
                ...days.map((row) => [row.day, row.endpoint, row.cached_tokens / row.input_tokens]),
            ],
            empty: new Set(rows.map((row) => row.day)).size > 1 ? undefined : rows.length ? says : NOTHING,
        }),
        breakdown(["model", "endpoint"], {
            title: "Cache by endpoint and model",
            wide: true,
            cube,
            metrics,
            order: "missed desc",
            trend: false,
        }),
    ];
}

function margin() {
    const cube = data.cubes.margin;
    const month = chosenMonth();
    const chosen = [["day", (day) => day === month], ...tests({ without: ["day"] })];
    const whole = total(cube, chosen);
    if (!whole.paying) {
        return [
            panel({
                title: "Margin by tenant",
                wide: true,
                empty: cube.length
                    ? "No revenue is known, so there is no margin to show. Revenue is in tenant_revenue.csv, in your own configuration."
                    : NOTHING,
            }),
        ];
    }
    const written = monthOf(month);
    const isRunning = shifted(LAST, 1).slice(0, 7) === month.slice(0, 7);
    const rows = group(cube, ["tenant"], chosen)
        .filter((row) => row.paying && row.tenant !== ELSE)
        .sort((one, other) => one.margin - other.margin);
    const losing = rows.filter((row) => row.margin < 0);
    const says = losing.length
        ? `${losing.length === 1 ? "One tenant costs more than it pays" : `${losing.length} tenants cost more than they pay`}: ${losing
              .slice(0, 3)
              .map((row) => `${row.tenant} ${usd(row.margin)}`)
              .join(", ")}.`
        : "Every tenant with a known revenue pays more than it costs.";
    const shown = rows.length > 20 ? [...rows.slice(0, 10), ...rows.slice(-10)] : rows;
    const select = el(
        "select",
        {
            "aria-label": "Month",
            onchange: (event) => {
                location.hash = address(state.section, { month: event.target.value });
            },
        },
        [...MONTHS].reverse().map((each) => el("option", { value: each, selected: each === month }, monthOf(each))),
    );
    return [
        figures(
            ["Pays", usd(whole.revenue), written],
            ["Calls cost", usd(whole.calls), isRunning ? `until ${date(LAST)}` : undefined],
            ["Charges and shared spend", usd(whole.allocated)],
            [
                "Left",
                usd(whole.margin),
                percent(divided(whole.margin, whole.revenue)),
                whole.margin < 0 ? "bad" : undefined,
            ],
        ),
        panel({
            title: "What each tenant leaves",
            wide: true,
            note: `${says}${isRunning ? " The month is not over: it has its whole revenue and the calls so far." : ""}`,
            body: [el("p", { class: "tools" }, el("label", {}, "Month ", select))],
            chart: {
                name: "signed",
                label: says,
                rows: shown.map((row) => ({ name: row.tenant, usd: row.margin, amount: usd(row.margin) })),
            },
        }),
        breakdown(["tenant"], {
            title: "Margin by tenant",
            wide: true,
            cube,
            chosen,
            metrics: ["revenue", "calls", "allocated", "margin", "margin_ratio", "wasted"],
            order: "margin",
            limit: 25,
            trend: false,
            note: whole.without_revenue
                ? `${usd(whole.without_revenue)} of the cost belongs to nobody with a known revenue: it has no margin, and is not in what is left.`
                : undefined,
        }),
    ];
}
