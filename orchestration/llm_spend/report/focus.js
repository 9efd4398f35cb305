// One name or several up close, down to single requests.

function focus() {
    const pins = state.pins;
    const has = (dimension) => pins.includes(dimension);
    const whole = total(facts(), tests());
    const stacked = !has("endpoint") ? "endpoint" : has("version") ? "model" : "version";
    const perRequest = (measure) => count(Math.round(divided(whole[measure], whole.requests) ?? 0));
    const everyone = total(SPEND, tests({ without: PINS })).cost;
    return [
        figures(
            [
                "Spend",
                usd(whole.cost),
                `${percent(divided(whole.cost, everyone))} of ${state.tenant === undefined ? "all spend" : "this tenant's spend"}`,
            ],
            ["Requests", count(whole.requests), `${count(whole.attempts)} attempts`],
            [
                "Cost of a request",
                unit(divided(whole.cost, whole.requests)),
                `${perRequest("input_tokens")} input and ${perRequest("output_tokens")} output tokens`,
            ],
            ["Wasted on retries", usd(whole.wasted), `${percent(divided(whole.wasted, whole.cost))} of it`],
        ),
        (has("endpoint") || has("version")) && versionChanges(),
        has("version") && samples(),
        has("endpoint") && unitCost(),
        spendByDay(stacked),
        !has("endpoint") && breakdown(["endpoint"]),
        !has("user") && breakdown(["user"], { trend: false }),
        !has("version") &&
            breakdown(has("endpoint") ? ["version"] : ["endpoint", "version"], { title: "Prompt versions" }),
        state.tenant === undefined && breakdown(["tenant"]),
        !has("model") && breakdown(["model"]),
        !has("agent") && breakdown(["agent"]),
        !has("version") && has("endpoint") && !has("user") && drivers(),
        !has("version") && (has("endpoint") || has("user")) && samples(),
    ];
}

/** Single requests: the dearest of what is chosen, as far as the page has some. */
function samples(
    found = SAMPLES.filter((row) => tests().every(([dimension, test]) => test(row[dimension]))),
    title = "Sample requests",
) {
    const rows = [...found].sort((one, other) => other.cost - one.cost).slice(0, 25);
    const columns = [
        col("request", "Request"),
        col("started_at", "Began, UTC", "text", { class: "nowrap", show: (row) => row.started_at.slice(0, 16) }),
        ...["tenant", "user", "version", "model"]
            .filter((dimension) => state[dimension] === undefined)
            .map((dimension) => col(dimension, capital(dimension))),
        col("attempts", "Attempts", "count"),
        col("input_tokens", "Input tokens", "count"),
        col("output_tokens", "Output tokens", "count"),
        col("cost", "Cost", "usd", { bar: true }),
        col("status", "Ended", "words"),
    ];
    const names = Object.keys(data.samples.columns);
    return panel({
        title,
        wide: true,
        note: rows.length
            ? `The dearest that this page carries. llm-spend explain ${rows[0].event} shows the bill of the first, line by line.`
            : undefined,
        tables: [table(columns, rows, { caption: title })],
        sql: () =>
            lines(
                "select",
                "    coalesce(max(external_request_id), min(event_id)) as request,",
                "    min(started_at) as started_at,",
                "    count(*) as attempts,",
                "    sum(input_tokens) as input_tokens,",
                "    sum(output_tokens) as output_tokens,",
                "    sum(cost_usd) as cost",
                "from marts.fct_llm_attempts",
                "where request_key in (",
                "    select request_key from marts.fct_llm_attempts",
                `    where event_id in (${rows.map((row) => literal(row.event)).join(", ")})`,
                ")",
                "group by request_key",
                "order by cost desc",
            ),
        exported: () => [names, ...rows.map((row) => names.map((name) => row[name]))],
        empty: rows.length
            ? undefined
            : "The page carries no request of this choice, only the dearest of each version and of the dearest users.",
    });
}

const VERDICT = {
    regression: "regression",
    improvement: "improvement",
    no_clear_change: "no clear change",
    insufficient_data: "insufficient data",
};

/** New prompt versions against those before, with intervals. */
function versionChanges() {
    const change = (ratio) => (ratio === null ? null : ratio - 1);
    const name = (row) => `${row.endpoint_tag} · ${row.prompt_version}`;
    const interval = (row) =>
        row.cost_per_request_ratio === null
            ? "unknown"
            : `${signedPercent(change(row.cost_per_request_lower_ratio))} … ${signedPercent(change(row.cost_per_request_upper_ratio))}`;
    const ofVersion = (row) =>
        isKept("version", row.prompt_version) && isKept("endpoint", row.endpoint_tag)
            ? address("focus", { endpoint: row.endpoint_tag, version: row.prompt_version })
            : undefined;
    const moved = (row) => `${unit(row.cost_per_request_before_usd)} → ${unit(row.cost_per_request_after_usd)}`;
    const columns = [
        col("prompt_version", "Version", "text", {
            href: ofVersion,
            show: (row) => [
                named(row.prompt_version, ofVersion(row)),
                el("span", { class: "note under", title: row.endpoint_tag }, row.endpoint_tag),
            ],
        }),
        col("first_seen_date", "Since", "node", {
            show: (row) => el("span", { class: "nowrap" }, date(row.first_seen_date)),
        }),
        col("moved", "Cost of a request", "node", {
            class: "number",
            show: (row) => [moved(row), el("span", { class: "note under" }, `against ${row.predecessor}`)],
        }),
        col("change", "Change, 99 % bounds", "node", {
            class: "number",
            show: (row) => [
                el("strong", {}, signedPercent(change(row.cost_per_request_ratio))),
                el("span", { class: "note under" }, interval(row)),
            ],
        }),
        col("samples", "Requests", "node", {
            class: "number",
            show: (row) => `${count(row.requests_before)} → ${count(row.requests_after)}`,
        }),
        col("verdict", "Verdict", "node", {
            show: (row) => pill(VERDICT[row.verdict] ?? row.verdict, TONES[row.verdict]),
        }),
        col("rollback_savings_per_30_days_usd", "Going back saves", "usd"),
        col("change_note", "What changed", "text", {
            class: "prose",
            show: (row) => [plain(row.change_note), el("span", { class: "note under" }, row.owner ?? "")],
        }),
    ];
    const judged = (rows) => rows.filter((row) => row.cost_per_request_ratio !== null).slice(0, 20);
    const chart = (rows) =>
        judged(rows).length
            ? {
                  name: "intervals",
                  keep: true,
                  rows: judged(rows).map((row) => ({
                      name: name(row),
                      change: change(row.cost_per_request_ratio),
                      lower: change(row.cost_per_request_lower_ratio),
                      upper: change(row.cost_per_request_upper_ratio),
                      verdict: VERDICT[row.verdict] ?? row.verdict,
                      moved: signedPercent(change(row.cost_per_request_ratio)),
                      interval: interval(row),
                  })),
                  label: `Change of cost per request: ${judged(rows)
                      .map(
                          (row) =>
                              `${name(row)} ${signedPercent(change(row.cost_per_request_ratio))}, ${interval(row)}`,
                      )
                      .join("; ")}`,
              }
            : undefined;
    return listed("versions", columns, {
        title: "New prompt versions against the ones before",
        wide: true,
        chart,
        note:
            "Cost per request in the seven whole days after a release against the seven before. A regression is at least " +
            "5 % dearer with 99 % confidence. What going back saves is for 30 days.",
        empty: "No prompt version here has a predecessor to be compared with. Log prompt_version with each call, and raise it with each deploy.",
    });
}

const SILENT = [
    col("endpoint_tag", "Endpoint", "text", {
        href: (row) => (isKept("endpoint", row.endpoint_tag) ? drill("endpoint", row.endpoint_tag) : undefined),
    }),
    col("prompt_version", "Version"),
    col("changed_on", "On"),
    col("main_model_before", "From"),
    col("main_model_after", "To"),
    col("cost_per_attempt_before_usd", "Attempt before", "usd"),
    col("cost_per_attempt_after_usd", "After", "usd"),
    col("cost_effect_7_days_usd", "Effect in 7 days", "signedUsd"),
];

const silentChanges = () =>
    listed("silent_changes", SILENT, {
        title: "Routing changed, the version did not",
        wide: true,
        empty: "No prompt version moved to other models without a new name.",
    });
