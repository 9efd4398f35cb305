// Can the numbers be believed, and do they equal the bill?

function quality() {
    const rows = LISTS.coverage;
    const sum = rows.reduce((all, row) => all + row.row_count, 0);
    const priced = rows
        .filter((row) => ["priced", "not_billed", "provider_reported"].includes(row.outcome))
        .reduce((all, row) => all + row.row_count, 0);
    const ordered = [...rows].sort((one, other) => other.row_count - one.row_count);
    const says = `${percent(divided(priced, sum))} of ${count(sum)} logged rows have a known cost or were not billed; ${ordered.map((row) => `${words(row.outcome)} ${count(row.row_count)}`).join(", ")}.`;
    const slot = (row) => Math.min(ordered.indexOf(row), SERIES);
    const failing = LISTS.health.filter((row) => row.failed_calls > 0).length;
    const days = new Set(DAYS).size;
    return [
        figures(
            [
                "Rows of the log",
                count(sum),
                `${count(days)} days, ${FIRST ? `${date(FIRST)} to ${longDate(LAST)}` : ""}`,
            ],
            ["Priced or not billed", percent(divided(priced, sum))],
            ["Checks with findings", `${failing} of ${LISTS.health.length}`, undefined, failing ? "warn" : undefined],
        ),
        listed(
            "coverage",
            [
                col("outcome", "What became of a row", "words"),
                col("row_count", "Rows", "count"),
                col("input_tokens", "Input tokens", "count"),
                col("output_tokens", "Output tokens", "count"),
                col("cost_usd", "Cost", "usd"),
            ],
            {
                title: "Where every row of the log went",
                wide: true,
                limit: 12,
                note: `${says} ${NOT_FILTERED}`,
                empty: "The log is empty.",
                chart: () => ({
                    name: "coverage",
                    keep: true,
                    label: says,
                    rows: ordered.map((row) => ({
                        rows: row.row_count,
                        slot: slot(row),
                        name: words(row.outcome),
                        count: count(row.row_count),
                    })),
                    legend: [
                        ...ordered.slice(0, SERIES).map((row, place) => [words(row.outcome), place]),
                        ...(ordered.length > SERIES ? [["the rest", SERIES]] : []),
                    ],
                }),
            },
        ),
        listed(
            "unpriced",
            [
                col("model", "Model"),
                col("provider", "Provider"),
                col("cost_status", "Why", "words"),
                col("attempts", "Attempts", "count"),
                col("input_tokens", "Input tokens", "count"),
                col("output_tokens", "Output tokens", "count"),
                col("nearest_models", "Resembles"),
            ],
            {
                title: "Usage without a known cost",
                wide: true,
                note: "Not in the spend. marts.unpriced_usage has the rows to add to price_overrides.csv.",
                empty: "Every call that should have a cost has one.",
            },
        ),
        listed(
            "health",
            [
                col("check_name", "Check", "words"),
                col("failed_calls", "Findings", "count"),
                col("checked_calls", "Checked", "count"),
                col("passed", "Passed", "node", {
                    class: "number",
                    show: (row) => percent(row.checked_calls ? 1 - row.failed_calls / row.checked_calls : null),
                }),
                col("cost_usd", "Dollars concerned", "usd"),
                col("what_to_do", "What mends it", "text", {
                    class: "prose",
                    show: (row) => (row.failed_calls ? row.what_to_do : ""),
                }),
            ],
            { title: "Can the log be believed", wide: true, limit: 16, empty: "No call has been checked yet." },
        ),
        listed(
            "refused",
            [
                col("reason", "Reason", "text", { class: "prose", show: (row) => plain(row.reason) }),
                col("source", "Source"),
                col("outcome", "Outcome"),
                col("refused_rows", "Rows", "count"),
            ],
            {
                title: "Rows that were refused",
                wide: true,
                empty: "No row was refused.",
                note: "marts.quarantined_events says which, with file and line.",
            },
        ),
    ];
}

/** The log against the providers' bills: each month, and where the difference comes from. */
function bill() {
    const causes = [
        col("coverage_usd", "Calls", "usd"),
        col("tokens_usd", "Tokens", "usd"),
        col("price_usd", "Price", "usd"),
        col("timing_usd", "Timing", "usd"),
    ];
    return [
        listed(
            "bills",
            [
                col("usage_month", "Month", "text", { show: (row) => row.usage_month.slice(0, 7) }),
                col("provider", "Provider"),
                col("billed_cost_usd", "Billed", "usd"),
                col("our_cost_usd", "Logged", "usd"),
                ...causes,
                col("non_token_usd", "Other usage", "usd"),
                col("fixed_usd", "Fixed", "usd"),
                col("matched_ratio", "Matched", "percent"),
                col("explained_ratio", "Explained", "percent"),
                col("status", "Status", "words"),
            ],
            {
                title: "Against the providers' bills",
                wide: true,
                note: "Billed less logged is the sum of the causes. All environments; months are UTC.",
                empty: "No bill of a provider has been loaded: llm-spend ingest fetches them.",
            },
        ),
        listed(
            "bill_gaps",
            [
                col("provider", "Provider"),
                col("charge_kind", "Charge", "words"),
                col("project_id", "Project"),
                col("api_key_id", "Key"),
                col("model", "Model"),
                col("billed_cost_usd", "Billed", "usd"),
                col("our_cost_usd", "Logged", "usd"),
                col("difference_usd", "Difference", "usd"),
                ...causes,
            ],
            {
                title: "Where bill and log differ",
                wide: true,
                limit: 10,
                note: "Of the days that differ. A key without logged dollars calls without being logged.",
                empty: "Bill and log agree on every line.",
            },
        ),
    ];
}
