// The whole at a glance: what it costs, what needs attention, where the month is heading, and why.

function overview() {
    const whole = total(SPEND, tests());
    const week = total(SPEND, within(shifted(state.to ?? "2000-01-01", -6), state.to));
    const before = total(SPEND, within(shifted(state.to ?? "2000-01-01", -13), shifted(state.to ?? "2000-01-01", -7)));
    const hasWeeks = state.to && shifted(state.to, -13) >= FIRST;
    return [
        figures(
            ["Spend", usd(whole.cost), `${count(whole.requests)} requests in ${count(whole.attempts)} attempts`],
            hasWeeks && [
                `Last 7 days to ${date(state.to)}`,
                usd(week.cost),
                `${signedPercent(divided(week.cost - before.cost, before.cost))} on the week before`,
            ],
            [
                "Cost of a request",
                unit(divided(whole.cost, whole.requests)),
                `${unit(divided(whole.cost, whole.successes))} for each success`,
            ],
            ["Wasted on retries", usd(whole.wasted), `${percent(divided(whole.wasted, whole.cost))} of the spend`],
            whole.without_cost > 0 && [
                "Without a known cost",
                count(whole.without_cost),
                "attempts, not in the spend",
                "warn",
            ],
        ),
        attention(),
        spendByDay("endpoint"),
        breakdown(["endpoint"]),
        breakdown(["tenant"]),
        forecast(),
        drivers(),
        budgets(),
    ];
}

const within = (from, to) => [["day", (day) => day >= from && day <= to], ...tests({ without: ["day"] })];

/** Open incidents that page, each a link to its evidence. */
function attention() {
    const open = LISTS.alerts.filter((alert) => alert.is_page === "true" && alert.status === "open");
    const items = open
        .slice(0, 6)
        .map((alert) =>
            el(
                "li",
                {},
                el(
                    "a",
                    { href: address("alerts", { alert: alert.alert_id }), class: "card" },
                    el(
                        "span",
                        { class: "line" },
                        pill(alert.severity, TONES[alert.severity]),
                        el("strong", { class: "number" }, usd(alert.impact_usd)),
                        " at stake",
                    ),
                    el("strong", { class: "name", title: alert.entity_id }, aboutWhom(alert)),
                    el(
                        "span",
                        { class: "note" },
                        `${words(alert.rule_id)} since ${date(alert.opened_at)}. ${plain(alert.cause_explanation)}.`,
                    ),
                ),
            ),
        );
    return panel({
        title: "Needs attention",
        wide: true,
        body: [el("ul", { class: "cards" }, items)],
        empty: open.length ? undefined : "No open alert. What fired before stands under Alerts.",
    });
}

/** The running month of the total budget, day by day. */
function forecast() {
    const budget = LISTS.budgets
        .filter((each) => each.scope_type === "total" && each.period === "monthly")
        .sort((one) => (one.traffic === "in_scope" ? -1 : 1))[0];
    const title = "This month against the budget";
    if (!budget)
        return panel({
            title,
            empty: "There is no monthly budget for the total. Budgets are rows of budgets.csv, in your own configuration.",
        });
    const start = budget.period_start_date,
        end = shifted(budget.period_end_date, -1);
    const cube = SPEND;
    const days = group(
        cube,
        ["day"],
        [
            ["day", (day) => day >= start && day <= end],
            ["traffic", (name) => budget.traffic !== "in_scope" || name === PRODUCTION],
        ],
    ).sort(byDay);
    let sum = 0;
    const spent = days.map((row) => ({
        kind: "spent",
        day: row.day,
        usd: (sum += row.cost),
        date: longDate(row.day),
        what: "spent so far",
        amount: usd(sum),
    }));
    const last = spent.at(-1) ?? { day: start, usd: 0 };
    const rows = [
        ...spent,
        { ...last, kind: "forecast", label: undefined },
        {
            kind: "forecast",
            day: end,
            usd: budget.projected_usd,
            date: longDate(end),
            what: "forecast",
            amount: usd(budget.projected_usd),
            label: `forecast ${usd(budget.projected_usd)}`,
        },
        {
            kind: "budget",
            day: end,
            usd: budget.amount_usd,
            date: longDate(end),
            what: "budget",
            amount: usd(budget.amount_usd),
            label: `budget ${usd(budget.amount_usd)}`,
        },
    ];
    const says = `${usd(budget.spent_usd)} of ${usd(budget.amount_usd)} spent by ${date(last.day)}; the month is heading for ${usd(budget.projected_usd)}${budget.projected_usd > budget.amount_usd ? ", above the budget" : ""}.`;
    return panel({
        title,
        note: `${says} ${budget.traffic === "in_scope" ? "Production only." : "All environments."}`,
        chart: { name: "cumulative", rows, label: says },
        tables: [table([col("day", "Day"), col("usd", "Spent so far", "usd")], spent, { limit: 40, caption: title })],
        sql: lines(
            "select",
            "    usage_date as day,",
            "    sum(sum(cost_usd)) over (order by usage_date) as spent_usd",
            "from marts.fct_daily_spend",
            `where usage_date between date '${start}' and date '${end}'${budget.traffic === "in_scope" ? " and is_in_scope" : ""}`,
            "group by usage_date",
            "order by day",
        ),
        exported: () => [["day", "spent_usd"], ...spent.map((row) => [row.day, row.usd])],
        empty: spent.length ? undefined : `No call yet in this month, which has a budget of ${usd(budget.amount_usd)}.`,
    });
}

const STATUS = { ok: "ok", warning: "warning", forecast_exceeded: "will exceed", exceeded: "exceeded" };
const budgetName = (row) =>
    `${row.scope_type === "total" ? "total" : row.scope_id}, ${row.period}${row.traffic === "all" && row.scope_type === "total" ? ", all traffic" : ""}`;

function budgets() {
    const columns = [
        col("scope_id", "Budget", "text", {
            show: (row) =>
                named(
                    budgetName(row),
                    ["tenant", "endpoint", "agent"].includes(row.scope_type) && isKept(row.scope_type, row.scope_id)
                        ? drill(row.scope_type, row.scope_id)
                        : undefined,
                ),
        }),
        col("spent_usd", "Spent", "usd"),
        col("amount_usd", "Of", "usd"),
        col("projected_usd", "Projected", "usd"),
        col("status", "Status", "node", { show: (row) => pill(STATUS[row.status] ?? row.status, TONES[row.status]) }),
        col("owner", "Owner"),
    ];
    const chart = (rows) => ({
        name: "budgets",
        keep: true,
        rows: rows.slice(0, 8).map((row) => ({
            name: budgetName(row),
            share: divided(row.spent_usd, row.amount_usd),
            projected_share: divided(row.projected_usd, row.amount_usd),
            status: STATUS[row.status] ?? row.status,
            spent: usd(row.spent_usd),
            budget: usd(row.amount_usd),
            projected: usd(row.projected_usd),
        })),
        label: `Budgets by their use: ${rows
            .slice(0, 8)
            .map((row) => `${budgetName(row)} ${percent(divided(row.spent_usd, row.amount_usd))}`)
            .join(", ")}`,
    });
    return listed("budgets", columns, {
        title: "Budgets in their running period",
        limit: 8,
        chart,
        wide: true,
        note: "Bars: used so far. Upright marks: where the period will end. Neither the time range nor the filters matter here.",
        empty: "There are no budgets yet. They are rows of budgets.csv, in your own configuration.",
    });
}

const DRIVER = {
    volume: "requests",
    retries: "retries",
    model_mix: "model mix",
    quantities: "tokens per call",
    unit_price: "prices",
    new: "new",
    gone: "gone",
};

/** Why a week or month cost more or less than the one before. */
function drivers() {
    const [type, name] =
        state.endpoint !== undefined
            ? ["endpoint", state.endpoint]
            : state.tenant !== undefined
              ? ["tenant", state.tenant]
              : ["total", "total"];
    const title = `Why the spend changed${type === "total" ? "" : `: ${name}`}`;
    const own = DRIVERS.filter((row) => row.entity_type === type && row.entity_id === name);
    const periods = [...new Set(own.map((row) => `${row.period_type} ${row.period_start}`))];
    if (!periods.length)
        return panel({
            title,
            empty: "Two whole weeks or months are needed for a comparison, and they are not there yet.",
        });
    const period = periods.includes(state.period)
        ? state.period
        : (periods.find((each) => each.slice(5) <= state.to) ?? periods[0]);
    const [periodType, start] = period.split(" ");
    const rows = own
        .filter((row) => `${row.period_type} ${row.period_start}` === period)
        .sort((one, other) => Math.abs(other.cost_change_usd) - Math.abs(one.cost_change_usd));
    const { cost_usd_before: before, cost_usd_after: after } = rows[0];
    const steps = [{ name: `${periodType} before`, low: 0, high: before, kind: "total", amount: usd(before) }];
    let level = before;
    for (const row of rows) {
        const next = level + row.cost_change_usd;
        steps.push({
            name: DRIVER[row.driver] ?? row.driver,
            low: Math.min(level, next),
            high: Math.max(level, next),
            kind: next > level ? "more" : "less",
            amount: signedUsd(row.cost_change_usd),
        });
        level = next;
    }
    steps.push({ name: `this ${periodType}`, low: 0, high: after, kind: "total", amount: usd(after) });
    // the bars of the totals begin near the smallest step, so that the steps are seen
    const lowest = Math.min(...steps.map((step) => (step.kind === "total" ? step.high : step.low)));
    const highest = Math.max(...steps.map((step) => step.high));
    const floor = Math.max(0, lowest - (highest - lowest) * 0.6);
    const says = `${usd(before)} became ${usd(after)}: ${rows.map((row) => `${DRIVER[row.driver] ?? row.driver} ${signedUsd(row.cost_change_usd)}`).join(", ")}.`;
    const select = el(
        "select",
        {
            "aria-label": "Period",
            onchange: (event) => {
                location.hash = address(state.section, { period: event.target.value });
            },
        },
        periods
            .slice(0, 60)
            .map((each) =>
                el(
                    "option",
                    { value: each, selected: each === period },
                    `${each.split(" ")[0]} of ${longDate(each.split(" ")[1])}`,
                ),
            ),
    );
    return panel({
        title,
        note: says,
        body: [el("p", { class: "tools" }, el("label", {}, "Compare the ", select, ` with the ${periodType} before`))],
        chart: {
            name: "waterfall",
            rows: steps.map((step) => ({ ...step, low: step.kind === "total" ? floor : step.low })),
            label: says,
        },
        tables: [
            table(
                [
                    col("driver", "Driver", "text", { show: (row) => DRIVER[row.driver] ?? row.driver }),
                    col("cost_change_usd", "Change", "signedUsd"),
                ],
                rows,
                { caption: title },
            ),
        ],
        sql: lines(
            "select driver, cost_change_usd, cost_usd_before, cost_usd_after",
            "from marts.spend_change_drivers",
            "where",
            `    period_type = ${literal(periodType)}`,
            `    and period_start = date ${literal(start)}`,
            `    and entity_type = ${literal(type)}`,
            `    and entity_id = ${literal(name)}`,
            "order by abs(cost_change_usd) desc",
        ),
        exported: () => [
            ["driver", "cost_change_usd", "cost_usd_before", "cost_usd_after"],
            ...rows.map((row) => [row.driver, row.cost_change_usd, row.cost_usd_before, row.cost_usd_after]),
        ],
    });
}
