// Incidents, and one with its evidence.

const aboutWhom = ({ entity_type: type, entity_id: name }) =>
    ["total", "prompt_version"].includes(type) ? name : `${words(type)} ${name}`;

function alerts() {
    const chosen = LISTS.alerts.find((alert) => alert.alert_id === state.alert);
    const pages = LISTS.alerts.filter((alert) => alert.is_page === "true").length;
    return [
        ...(chosen ? incident(chosen) : []),
        listed(
            "alerts",
            [
                col("entity_id", "What", "text", {
                    href: toIncident,
                    show: (row) => [
                        named(words(row.rule_id), toIncident(row)),
                        el("span", { class: "note under", title: row.entity_id }, aboutWhom(row)),
                    ],
                }),
                col("severity", "Severity", "node", { show: (row) => pill(row.severity, TONES[row.severity]) }),
                col("opened_at", "Known since", "text", { class: "nowrap", show: (row) => date(row.opened_at) }),
                col("resolved_at", "Resolved", "text", {
                    class: "nowrap",
                    show: (row) => (row.resolved_at ? date(row.resolved_at) : pill("open", "warn")),
                }),
                col("impact_usd", "At stake", "usd"),
                col("cause_explanation", "Likely cause", "text", {
                    class: "prose",
                    show: (row) => plain(row.cause_explanation),
                }),
                col("owner", "Owner"),
            ],
            {
                title: "Incidents",
                wide: true,
                limit: 15,
                note: `${count(pages)} that page come first, then those with the same cause and those for the digest.`,
                keep: (row) =>
                    !state.from ||
                    (row.window_start.slice(0, 10) <= state.to && (row.resolved_at ?? row.window_end) >= state.from),
                empty: "No rule has fired in these days. Rules are rows of alert_rules.csv.",
            },
        ),
    ];
}

const toIncident = (row) => address("alerts", { alert: row.alert_id });

/** One incident with its evidence. */
function incident(alert) {
    const evidence = JSON.parse(alert.evidence || "{}");
    const links = {
        tenant: alert.entity_type === "tenant" ? alert.entity_id : undefined,
        endpoint: alert.endpoint_tag ?? (alert.entity_type === "endpoint" ? alert.entity_id : undefined),
        version: alert.prompt_version ?? undefined,
        agent: alert.entity_type === "agent" ? alert.entity_id : undefined,
        user: alert.entity_type === "user" ? alert.entity_id : undefined,
    };
    const pins = Object.fromEntries(
        Object.entries(links).filter(([dimension, name]) => name !== undefined && isKept(dimension, name)),
    );
    const contributors = LISTS.contributors.filter((row) => row.alert_id === alert.alert_id);
    const ids = new Set(evidence.sample_request_ids ?? []);
    const requests = SAMPLES.filter((row) => ids.has(row.request));
    const children = LISTS.alerts.filter((row) => row.parent_alert_id === alert.alert_id);
    const parent = LISTS.alerts.find((row) => row.alert_id === alert.parent_alert_id);
    return [
        figures(
            ["At stake", usd(alert.impact_usd), `since ${longDate(alert.window_start)}`],
            ["Observed", measured(alert.observed_value), `${measured(alert.baseline_value)} was usual`],
            alert.change_percent !== null && [
                "Change",
                `${alert.change_percent > 0 ? "+" : ""}${whole.format(alert.change_percent)} %`,
            ],
        ),
        panel({
            title: "What happened",
            wide: true,
            body: [
                el(
                    "dl",
                    { class: "facts" },
                    [
                        [
                            "Status",
                            el(
                                "span",
                                {},
                                pill(alert.severity, TONES[alert.severity]),
                                " ",
                                alert.resolved_at ? `resolved ${longDate(alert.resolved_at)}` : "open",
                                ` · known since ${longDate(alert.opened_at)}`,
                            ),
                        ],
                        ["Likely cause", plain(alert.cause_explanation)],
                        ["What to do", plain(alert.recommended_action)],
                        ["Owner", plain(alert.owner)],
                        parent && [
                            "Told of by",
                            named(
                                `${words(parent.rule_id)}: ${parent.entity_id}`,
                                address("alerts", { alert: parent.alert_id }),
                            ),
                        ],
                        children.length && [
                            "Of the same cause",
                            el(
                                "span",
                                {},
                                children
                                    .slice(0, 12)
                                    .map((row) => [
                                        named(
                                            `${words(row.rule_id)}: ${row.entity_id}`,
                                            address("alerts", { alert: row.alert_id }),
                                        ),
                                        el("br"),
                                    ]),
                            ),
                        ],
                    ]
                        .filter(Boolean)
                        .flatMap(([term, value]) => [el("dt", {}, term), el("dd", {}, value)]),
                ),
                Object.keys(pins).length
                    ? el(
                          "p",
                          { class: "actions" },
                          el("a", { class: "primary", href: address("focus", pins) }, "See the spend behind it"),
                      )
                    : "",
            ],
            sql: evidence.sql,
        }),
        contributors.length &&
            panel({
                title: "Who drove it",
                wide: true,
                note: "Dollars beyond the usual days.",
                tables: [
                    table(
                        [
                            col("entity_type", "Kind", "words"),
                            col("entity_id", "Name", "text", {
                                href: (row) =>
                                    row.entity_type !== "prompt_version" && isKept(row.entity_type, row.entity_id)
                                        ? drill(row.entity_type, row.entity_id)
                                        : undefined,
                            }),
                            col("cost_usd", "Cost", "usd"),
                            col("usual_cost_usd", "Usual", "usd"),
                            col("beyond_usual_usd", "Beyond", "usd", { bar: true }),
                        ],
                        contributors,
                        { limit: 20, caption: "Who drove it" },
                    ),
                ],
                sql: lines(
                    "select * from (",
                    `${data.lists.contributors.sql}`,
                    ") as listed",
                    `where alert_id = ${literal(alert.alert_id)}`,
                ),
            }),
        samples(requests, "Requests in evidence"),
    ];
}

const measured = (value) =>
    value === null ? NONE : Math.abs(value) >= 1000 ? count(value) : String(Number(value.toPrecision(4)));
