// What each section shows. Every table of sums comes with the statement that gives the same from the marts.

const SERIES = 5; // names with a colour of their own; the rest is everything else
const LISTS = Object.fromEntries(Object.entries(data.lists).map(([name, list]) => [name, rowsOf(list)]));
const DRIVERS = rowsOf(data.drivers);
const SAMPLES = rowsOf(data.samples);
const NOTHING = "No call of these days and filters. A wider time range, another tenant or environment may have some.";
const NOT_FILTERED = "The time range and the filters do not narrow this list.";

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

const sqlColumns = (cube, metrics) => metrics.map((metric) => {
  const { ratio, sql } = METRICS[metric];
  const m = cube.measures;
  return [metric, sql ? sql(m) : ratio ? `${m[ratio[0]]} / nullif(${m[ratio[1]]}, 0)` : m[metric]];
});

/** A Top list: sums by one dimension or two, everything else, and the total. */
function breakdown(by, { title, note, cube = facts(), metrics, order = "cost desc", wide, limit = 10, trend = true, chosen = tests() } = {}) {
  const dimension = by.at(-1);
  metrics ??= wide ? LONG : SHORT;
  if (dimension === "user" && !state.pins.includes("user")) {
    // the cube of users holds only those who are named
    const { users: named } = data.cubes;
    const rows = group(named, ["user", "user_type"], tests());
    const everyone = total(SPEND, tests());
    const rest = Object.entries(added(rows, Object.keys(named.measures))).map(([measure, sum]) => [measure, everyone[measure] - sum]);
    if (everyone.attempts > added(rows, ["attempts"]).attempts) rows.push({ ...Object.fromEntries(rest), user: ELSE });
    return list(named, ["user", "user_type"], rows, everyone);
  }
  return list(cube, by, group(cube, by, chosen), total(cube, chosen));

  function list(of, keys, found, sums) {
    const [sorted, direction] = order.split(" ");
    const days = trend ? daily(of, dimension) : undefined;
    const lines = found
      .map((row) => withRatios({ ...row, quiet: row[dimension] === ELSE }, metrics, sums))
      .map((row) => (row.paying === 0 ? { ...row, revenue: null, margin: null } : row))
      .sort((one, other) => one.quiet - other.quiet || (direction ? other[sorted] - one[sorted] : (one[sorted] ?? Infinity) - (other[sorted] ?? Infinity)));
    const hidden = lines.length > limit + 1 ? lines.slice(limit) : [];
    const others = hidden.length ? [{ ...withRatios(added(hidden, Object.keys(of.measures)), metrics, sums), [dimension]: ELSE, quiet: true, stands: hidden.filter((row) => !row.quiet).length }] : [];
    const label = (row) => row.stands ? everythingElse(dimension, row.stands + (hidden.at(-1).quiet ? data.others[dimension] : 0)) : row[dimension] ?? everythingElse(dimension, data.others[dimension]);
    const columns = [
      { key: dimension, label: capital(KINDS[dimension][0]), kind: "text",
        href: (row) => (row.quiet || !found.length ? undefined : pinned(keys, row)),
        show: (row) => named(row === foot ? "Total" : label(row), row === foot || row.quiet ? undefined : pinned(keys, row)) },
      ...keys.filter((key) => key !== dimension).map((key) => ({ key, label: key === "user_type" ? "Type" : capital(KINDS[key][0]), kind: "text",
        show: (row) => (row === foot ? "" : row[key] ?? "") })),
      ...(days ? [{ key: "trend", label: "By day", kind: "node", class: "trend", show: (row) => (row === foot ? "" : spark(days(row[dimension]))) }] : []),
      ...metrics.map((metric) => ({ key: metric, ...METRICS[metric] })),
    ];
    const foot = withRatios(sums, metrics, sums);
    const exported = () => [[...keys, ...metrics], ...lines.map((row) => [...keys.map((key) => (key === dimension ? label(row) : row[key])), ...metrics.map((metric) => row[metric])])];
    return panel({
      title: title ?? `Top ${KINDS[dimension][1].toLowerCase()}`, note, wide,
      tables: [table(columns, [...lines.slice(0, limit), ...others, ...lines.slice(limit)], { foot, caption: title ?? KINDS[dimension][1], limit })],
      sql: () => statement(of, keys, sqlColumns(of, metrics), order), exported,
      empty: found.length ? undefined : NOTHING,
    });
  }
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

function pinned(keys, row) {
  const chosen = Object.fromEntries(keys.filter((key) => key in KINDS && row[key] !== ELSE).map((key) => [key, row[key]]));
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
  const names = group(cube, [dimension], tests()).filter((row) => row[dimension] !== ELSE).slice(0, SERIES).map((row) => row[dimension]);
  const slot = new Map(names.map((name, place) => [name, place]));
  const sums = new Map();
  for (const row of group(cube, ["day", dimension], tests())) {
    const key = `${row.day} ${slot.get(row[dimension]) ?? SERIES}`;
    const seen = sums.get(key) ?? { day: row.day, slot: slot.get(row[dimension]) ?? SERIES, usd: 0 };
    seen.usd += row.cost;
    sums.set(key, seen);
  }
  const rows = [...sums.values()].map((row) => ({ ...row, date: longDate(row.day), name: names[row.slot] ?? "everything else", spend: usd(row.usd) }));
  const days = group(cube, ["day"], tests()).sort((one, other) => (one.day < other.day ? -1 : 1));
  const whole = total(cube, tests());
  const dearest = days.reduce((best, row) => (row.cost > (best?.cost ?? -1) ? row : best), null);
  const label = dearest ? `${usd(whole.cost)} from ${longDate(state.from)} to ${longDate(state.to)}; the dearest day is ${longDate(dearest.day)} with ${usd(dearest.cost)}.` : "";
  return panel({
    title, wide, note: label,
    chart: { name: "spend", rows, label: `${title}. ${label}`,
      onclick: (datum) => datum.date && (location.hash = address(state.section, { from: dayOf(datum), to: dayOf(datum) })),
      legend: [...names.map((name, place) => [name, place, drill(dimension, name)]), ...(rows.some((row) => row.slot === SERIES) ? [["everything else", SERIES]] : [])] },
    tables: [table([{ key: "day", label: "Day", href: (row) => address(state.section, { from: row.day, to: row.day }) }, ...["cost", "requests", "cost_per_request", "wasted"].map((key) => ({ key, ...METRICS[key] }))],
      days.map((row) => withRatios(row, ["cost_per_request"])), { caption: title, limit: 400 })],
    sql: () => statement(cube, ["day", dimension], [["cost", cube.measures.cost]], "day"),
    exported: () => [["day", dimension, "cost"], ...group(cube, ["day", dimension], tests()).sort((one, other) => (one.day < other.day ? -1 : 1)).map((row) => [row.day, row[dimension] ?? "everything else", row.cost])],
    empty: days.length > 1 ? undefined : days.length ? `${usd(whole.cost)} on ${longDate(days[0].day)}. A chart over time needs a second day.` : NOTHING,
  });
}

const dayOf = (datum) => new Date(datum.utcyearmonthdate_day ?? datum.day).toISOString().slice(0, 10);

/** Cost per request by day, one line for each prompt version. */
function unitCost() {
  const cube = facts();
  const versions = group(cube, ["version"], tests({ without: ["version"] })).filter((row) => row.version !== ELSE).slice(0, SERIES).map((row) => row.version);
  const days = group(cube, ["day", "version"], tests({ without: ["version"] })).filter((row) => versions.includes(row.version) && row.requests);
  const rows = days.map((row) => ({ day: row.day, slot: versions.indexOf(row.version), value: row.cost / row.requests, date: longDate(row.day), name: row.version, amount: `${unit(row.cost / row.requests)} × ${count(row.requests)}` }));
  return panel({
    title: "Cost per request, by prompt version", wide: true,
    chart: { name: "unit_cost", rows: rows.sort((one, other) => (one.day < other.day ? -1 : 1)), label: `Cost per request by day of ${versions.join(", ")}`, legend: versions.map((name, place) => [name, place, drill("version", name)]) },
    tables: [table([{ key: "day", label: "Day" }, { key: "version", label: "Version" }, ...["cost_per_request", "requests", "cost"].map((key) => ({ key, ...METRICS[key] }))], days.sort((one, other) => (one.day < other.day ? -1 : 1)).map((row) => withRatios(row, ["cost_per_request"])), { limit: 400, caption: "Cost per request" })],
    sql: () => {
      const pins = state.pins;
      state.pins = pins.filter((pin) => pin !== "version");
      const sql = statement(cube, ["day", "version"], sqlColumns(cube, ["cost_per_request", "requests", "cost"]), "day");
      state.pins = pins;
      return sql;
    },
    exported: () => [["day", "version", "cost_per_request", "requests", "cost"], ...days.map((row) => [row.day, row.version, row.cost / row.requests, row.requests, row.cost])],
    empty: new Set(rows.map((row) => row.day)).size > 1 ? undefined : rows.length ? "A chart over time needs a second day." : NOTHING,
  });
}

/** A list of a mart as it is, narrowed by what is chosen where it has the column. */
function listed(name, columns, { title, note, empty, wide, limit, keep = () => true, chart, headed }) {
  const all = LISTS[name] ?? [];
  const narrowing = { tenant: "tenant_id", endpoint: "endpoint_tag", version: "prompt_version" };
  const by = Object.entries(narrowing).filter(([pin, column]) => state[pin] !== undefined && data.lists[name]?.columns[column]);
  const rows = all.filter((row) => by.every(([pin, column]) => row[column] === state[pin])).filter(keep);
  const sql = data.lists[name]?.sql;
  const narrowed = by.length ? `select * from (\n${sql}\n) as listed\nwhere ${by.map(([pin, column]) => `${column} = ${literal(state[pin])}`).join(" and ")}` : sql;
  const names = Object.keys(data.lists[name]?.columns ?? {});
  return panel({
    title, note, wide,
    chart: chart?.(rows), body: headed?.(rows) ?? [],
    tables: [table(columns, rows, { caption: title, limit })], sql: narrowed,
    exported: () => [names, ...rows.map((row) => names.map((column) => row[column]))],
    empty: rows.length ? undefined : empty,
  });
}

// ---- overview

function overview() {
  const whole = total(SPEND, tests());
  const week = total(SPEND, within(shifted(state.to ?? "2000-01-01", -6), state.to));
  const before = total(SPEND, within(shifted(state.to ?? "2000-01-01", -13), shifted(state.to ?? "2000-01-01", -7)));
  const hasWeeks = state.to && shifted(state.to, -13) >= FIRST;
  return [
    figures(
      ["Spend", usd(whole.cost), `${count(whole.requests)} requests in ${count(whole.attempts)} attempts`],
      hasWeeks && [`Last 7 days to ${date(state.to)}`, usd(week.cost), `${signedPercent(divided(week.cost - before.cost, before.cost))} on the week before`],
      ["Cost of a request", unit(divided(whole.cost, whole.requests)), `${unit(divided(whole.cost, whole.successes))} for each success`],
      ["Wasted on retries", usd(whole.wasted), `${percent(divided(whole.wasted, whole.cost))} of the spend`],
      whole.without_cost > 0 && ["Without a known cost", count(whole.without_cost), "attempts, not in the spend", "warn"],
    ),
    attention(),
    spendByDay("endpoint"),
    breakdown(["endpoint"]), breakdown(["tenant"]),
    forecast(), drivers(), budgets(),
  ];
}

const within = (from, to) => [["day", (day) => day >= from && day <= to], ...tests({ without: ["day"] })];

/** Open incidents that page, each a link to its evidence. */
function attention() {
  const open = LISTS.alerts.filter((alert) => alert.is_page === "true" && alert.status === "open");
  const items = open.slice(0, 6).map((alert) => el("li", {},
    el("a", { href: address("alerts", { alert: alert.alert_id }), class: "card" },
      el("span", { class: "line" }, pill(alert.severity, TONES[alert.severity]), el("strong", { class: "number" }, usd(alert.impact_usd)), " at stake"),
      el("strong", { class: "name", title: alert.entity_id }, aboutWhom(alert)),
      el("span", { class: "note" }, `${words(alert.rule_id)} since ${date(alert.opened_at)}. ${plain(alert.cause_explanation)}.`))));
  return panel({ title: "Needs attention", wide: true, body: [el("ul", { class: "cards" }, items)],
    empty: open.length ? undefined : "No open alert. What fired before stands under Alerts." });
}

const aboutWhom = ({ entity_type: type, entity_id: name }) => (["total", "prompt_version"].includes(type) ? name : `${words(type)} ${name}`);

/** The running month of the total budget, day by day. */
function forecast() {
  const budget = LISTS.budgets.filter((each) => each.scope_type === "total" && each.period === "monthly").sort((one) => (one.traffic === "in_scope" ? -1 : 1))[0];
  const title = "This month against the budget";
  if (!budget) return panel({ title, empty: "There is no monthly budget for the total. Budgets are rows of budgets.csv, in your own configuration." });
  const start = budget.period_start_date, end = shifted(budget.period_end_date, -1);
  const cube = SPEND;
  const days = group(cube, ["day"], [["day", (day) => day >= start && day <= end], ["traffic", (name) => budget.traffic !== "in_scope" || name === PRODUCTION]]).sort((one, other) => (one.day < other.day ? -1 : 1));
  let sum = 0;
  const spent = days.map((row) => ({ kind: "spent", day: row.day, usd: (sum += row.cost), date: longDate(row.day), what: "spent so far", amount: usd(sum) }));
  const last = spent.at(-1) ?? { day: start, usd: 0 };
  const rows = [
    ...spent,
    { ...last, kind: "forecast", label: undefined }, { kind: "forecast", day: end, usd: budget.projected_usd, date: longDate(end), what: "forecast", amount: usd(budget.projected_usd), label: `forecast ${usd(budget.projected_usd)}` },
    { kind: "budget", day: end, usd: budget.amount_usd, date: longDate(end), what: "budget", amount: usd(budget.amount_usd), label: `budget ${usd(budget.amount_usd)}` },
  ];
  const says = `${usd(budget.spent_usd)} of ${usd(budget.amount_usd)} spent by ${date(last.day)}; the month is heading for ${usd(budget.projected_usd)}${budget.projected_usd > budget.amount_usd ? ", above the budget" : ""}.`;
  return panel({
    title, note: `${says} ${budget.traffic === "in_scope" ? "Production only." : "All environments."}`,
    chart: { name: "cumulative", rows, label: says },
    tables: [table([{ key: "day", label: "Day" }, { key: "usd", label: "Spent so far", kind: "usd" }], spent, { limit: 40, caption: title })],
    sql: `select\n    usage_date as day,\n    sum(sum(cost_usd)) over (order by usage_date) as spent_usd\nfrom marts.fct_daily_spend\nwhere usage_date between date '${start}' and date '${end}'${budget.traffic === "in_scope" ? " and is_in_scope" : ""}\ngroup by usage_date\norder by day`,
    exported: () => [["day", "spent_usd"], ...spent.map((row) => [row.day, row.usd])],
  });
}

const STATUS = { ok: "ok", warning: "warning", forecast_exceeded: "will exceed", exceeded: "exceeded" };
const budgetName = (row) => `${row.scope_type === "total" ? "total" : row.scope_id}, ${row.period}${row.traffic === "all" && row.scope_type === "total" ? ", all traffic" : ""}`;

function budgets() {
  const columns = [
    { key: "scope_id", label: "Budget", show: (row) => named(budgetName(row), ["tenant", "endpoint", "agent"].includes(row.scope_type) && isKept(row.scope_type, row.scope_id) ? drill(row.scope_type, row.scope_id) : undefined) },
    { key: "spent_usd", label: "Spent", kind: "usd" }, { key: "amount_usd", label: "Of", kind: "usd" }, { key: "projected_usd", label: "Projected", kind: "usd" },
    { key: "status", label: "Status", kind: "node", show: (row) => pill(STATUS[row.status] ?? row.status, TONES[row.status]) },
    { key: "owner", label: "Owner" },
  ];
  const chart = (rows) => ({ name: "budgets", keep: true,
    rows: rows.slice(0, 8).map((row) => ({ name: budgetName(row), share: divided(row.spent_usd, row.amount_usd), projected_share: divided(row.projected_usd, row.amount_usd), status: STATUS[row.status] ?? row.status,
      spent: usd(row.spent_usd), budget: usd(row.amount_usd), projected: usd(row.projected_usd) })),
    label: `Budgets by their use: ${rows.slice(0, 8).map((row) => `${budgetName(row)} ${percent(divided(row.spent_usd, row.amount_usd))}`).join(", ")}` });
  return listed("budgets", columns, { title: "Budgets in their running period", limit: 8, chart, wide: true,
    note: "Bars: used so far. Upright marks: where the period will end. Neither the time range nor the filters matter here.",
    empty: "There are no budgets yet. They are rows of budgets.csv, in your own configuration." });
}

const isKept = (dimension, name) => (data.cubes.users.columns[dimension] ?? SPEND.columns[dimension])?.names.includes(name);

const DRIVER = { volume: "requests", retries: "retries", model_mix: "model mix", quantities: "tokens per call", unit_price: "prices", new: "new", gone: "gone" };

/** Why a week or month cost more or less than the one before. */
function drivers() {
  const [type, name] = state.endpoint !== undefined ? ["endpoint", state.endpoint] : state.tenant !== undefined ? ["tenant", state.tenant] : ["total", "total"];
  const title = `Why the spend changed${type === "total" ? "" : `: ${name}`}`;
  const own = DRIVERS.filter((row) => row.entity_type === type && row.entity_id === name);
  const periods = [...new Set(own.map((row) => `${row.period_type} ${row.period_start}`))];
  if (!periods.length) return panel({ title, empty: "Two whole weeks or months are needed for a comparison, and they are not there yet." });
  const period = periods.includes(state.period) ? state.period : periods.find((each) => each.slice(5) <= state.to) ?? periods[0];
  const [periodType, start] = period.split(" ");
  const rows = own.filter((row) => `${row.period_type} ${row.period_start}` === period).sort((one, other) => Math.abs(other.cost_change_usd) - Math.abs(one.cost_change_usd));
  const { cost_usd_before: before, cost_usd_after: after } = rows[0];
  const steps = [{ name: `${periodType} before`, low: 0, high: before, kind: "total", amount: usd(before) }];
  let level = before;
  for (const row of rows) {
    const next = level + row.cost_change_usd;
    steps.push({ name: DRIVER[row.driver] ?? row.driver, low: Math.min(level, next), high: Math.max(level, next), kind: next > level ? "more" : "less", amount: signedUsd(row.cost_change_usd) });
    level = next;
  }
  steps.push({ name: `this ${periodType}`, low: 0, high: after, kind: "total", amount: usd(after) });
  // the bars of the totals begin near the smallest step, so that the steps are seen
  const lowest = Math.min(...steps.map((step) => step.kind === "total" ? step.high : step.low));
  const highest = Math.max(...steps.map((step) => step.high));
  const floor = Math.max(0, lowest - (highest - lowest) * 0.6);
  const says = `${usd(before)} became ${usd(after)}: ${rows.map((row) => `${DRIVER[row.driver] ?? row.driver} ${signedUsd(row.cost_change_usd)}`).join(", ")}.`;
  const select = el("select", { "aria-label": "Period", onchange: (event) => { location.hash = address(state.section, { period: event.target.value }); } },
    periods.slice(0, 60).map((each) => el("option", { value: each, selected: each === period }, `${each.split(" ")[0]} of ${longDate(each.split(" ")[1])}`)));
  return panel({
    title, note: says, body: [el("p", { class: "tools" }, el("label", {}, "Compare the ", select, ` with the ${periodType} before`))],
    chart: { name: "waterfall", rows: steps.map((step) => ({ ...step, low: step.kind === "total" ? floor : step.low })), label: says },
    tables: [table([{ key: "driver", label: "Driver", show: (row) => DRIVER[row.driver] ?? row.driver }, { key: "cost_change_usd", label: "Change", kind: "signedUsd" }], rows, { caption: title })],
    sql: `select driver, cost_change_usd, cost_usd_before, cost_usd_after\nfrom marts.spend_change_drivers\nwhere\n    period_type = ${literal(periodType)}\n    and period_start = date ${literal(start)}\n    and entity_type = ${literal(type)}\n    and entity_id = ${literal(name)}\norder by abs(cost_change_usd) desc`,
    exported: () => [["driver", "cost_change_usd", "cost_usd_before", "cost_usd_after"], ...rows.map((row) => [row.driver, row.cost_change_usd, row.cost_usd_before, row.cost_usd_after])],
  });
}

// ---- one name, or several, up close

function focus() {
  const pins = state.pins;
  const has = (dimension) => pins.includes(dimension);
  const whole = total(facts(), tests());
  const stacked = !has("endpoint") ? "endpoint" : has("version") || !has("user") ? (has("version") ? "model" : "version") : "version";
  return [
    figures(
      ["Spend", usd(whole.cost), `${percent(divided(whole.cost, total(SPEND, within(state.from, state.to).filter(([dimension]) => !PINS.includes(dimension))).cost))} of ${state.tenant === undefined ? "all spend" : "this tenant's spend"}`],
      ["Requests", count(whole.requests), `${count(whole.attempts)} attempts`],
      ["Cost of a request", unit(divided(whole.cost, whole.requests)), `${count(Math.round(divided(whole.input_tokens, whole.requests) ?? 0))} input and ${count(Math.round(divided(whole.output_tokens, whole.requests) ?? 0))} output tokens`],
      ["Wasted on retries", usd(whole.wasted), `${percent(divided(whole.wasted, whole.cost))} of it`],
    ),
    (has("endpoint") || has("version")) && versionChanges(),
    has("version") && samples(),
    has("endpoint") && unitCost(),
    spendByDay(stacked),
    !has("endpoint") && breakdown(["endpoint"]),
    !has("user") && breakdown(["user"], { trend: false }),
    !has("version") && breakdown(["endpoint", "version"], { title: "Prompt versions" }),
    state.tenant === undefined && breakdown(["tenant"]),
    !has("model") && breakdown(["model"]),
    !has("agent") && breakdown(["agent"]),
    !has("version") && (has("endpoint") || has("user")) && samples(),
    !has("version") && has("endpoint") && !has("user") && drivers(),
  ];
}

/** Single requests: the dearest of what is chosen, as far as the page has some. */
function samples(found = SAMPLES.filter((row) => tests().every(([dimension, test]) => test(row[dimension]))), title = "Sample requests") {
  const rows = [...found].sort((one, other) => other.cost - one.cost).slice(0, 25);
  const columns = [
    { key: "request", label: "Request" }, { key: "started_at", label: "Began, UTC", show: (row) => row.started_at.slice(0, 16) },
    { key: "tenant", label: "Tenant" }, { key: "user", label: "User" }, { key: "version", label: "Version" }, { key: "model", label: "Model" },
    { key: "attempts", label: "Attempts", kind: "count" }, { key: "input_tokens", label: "Input tokens", kind: "count" }, { key: "output_tokens", label: "Output tokens", kind: "count" },
    { key: "cost", label: "Cost", kind: "usd", bar: true }, { key: "status", label: "Ended", kind: "words" },
  ];
  const names = Object.keys(data.samples.columns);
  return panel({
    title, wide: true, note: rows.length ? `The dearest that this page carries. llm-spend explain ${rows[0].event} shows the bill of the first, line by line.` : undefined,
    tables: [table(columns, rows, { caption: title })],
    sql: () => `select\n    coalesce(max(external_request_id), min(event_id)) as request,\n    min(started_at) as started_at,\n    count(*) as attempts,\n    sum(input_tokens) as input_tokens,\n    sum(output_tokens) as output_tokens,\n    sum(cost_usd) as cost\nfrom marts.fct_llm_attempts\nwhere request_key in (\n    select request_key from marts.fct_llm_attempts\n    where event_id in (${rows.map((row) => literal(row.event)).join(", ")})\n)\ngroup by request_key\norder by cost desc`,
    exported: () => [names, ...rows.map((row) => names.map((name) => row[name]))],
    empty: rows.length ? undefined : "The page carries no request of this choice: it has the dearest of each version and of the dearest users. The SQL of a table above finds others.",
  });
}

const VERDICT = { regression: "regression", improvement: "improvement", no_clear_change: "no clear change", insufficient_data: "insufficient data" };

/** New prompt versions against those before, with intervals. */
function versionChanges() {
  const change = (ratio) => (ratio === null ? null : ratio - 1);
  const name = (row) => `${row.endpoint_tag} · ${row.prompt_version}`;
  const interval = (row) => (row.cost_per_request_ratio === null ? "unknown" : `${signedPercent(change(row.cost_per_request_lower_ratio))} … ${signedPercent(change(row.cost_per_request_upper_ratio))}`);
  const ofVersion = (row) => (isKept("version", row.prompt_version) && isKept("endpoint", row.endpoint_tag) ? address("focus", { endpoint: row.endpoint_tag, version: row.prompt_version }) : undefined);
  const moved = (row) => `${unit(row.cost_per_request_before_usd)} → ${unit(row.cost_per_request_after_usd)}`;
  const columns = [
    { key: "prompt_version", label: "Version", href: ofVersion, show: (row) => [named(row.prompt_version, ofVersion(row)), el("span", { class: "note under", title: row.endpoint_tag }, row.endpoint_tag)] },
    { key: "predecessor", label: "Against" },
    { key: "first_seen_date", label: "Since", kind: "node", show: (row) => el("span", { class: "nowrap" }, date(row.first_seen_date)) },
    { key: "moved", label: "Cost of a request", kind: "node", class: "number", show: (row) => moved(row) },
    { key: "change", label: "Change, 99 % bounds", kind: "node", class: "number", show: (row) => [el("strong", {}, signedPercent(change(row.cost_per_request_ratio))), el("span", { class: "note under" }, interval(row))] },
    { key: "samples", label: "Requests", kind: "node", class: "number", show: (row) => `${count(row.requests_before)} → ${count(row.requests_after)}` },
    { key: "verdict", label: "Verdict", kind: "node", show: (row) => pill(VERDICT[row.verdict] ?? row.verdict, TONES[row.verdict]) },
    { key: "rollback_savings_per_30_days_usd", label: "Going back saves", kind: "usd" },
    { key: "change_note", label: "What changed", class: "prose", show: (row) => [plain(row.change_note), el("span", { class: "note under" }, row.owner ?? "")] },
  ];
  const judged = (rows) => rows.filter((row) => row.cost_per_request_ratio !== null).slice(0, 20);
  const chart = (rows) => (judged(rows).length ? { name: "intervals", keep: true,
    rows: judged(rows).map((row) => ({ name: name(row), change: change(row.cost_per_request_ratio), lower: change(row.cost_per_request_lower_ratio), upper: change(row.cost_per_request_upper_ratio), verdict: VERDICT[row.verdict] ?? row.verdict, moved: signedPercent(change(row.cost_per_request_ratio)), interval: interval(row) })),
    label: `Change of cost per request: ${judged(rows).map((row) => `${name(row)} ${signedPercent(change(row.cost_per_request_ratio))}, ${interval(row)}`).join("; ")}` } : undefined);
  return listed("versions", columns, { title: "New prompt versions against the ones before", wide: true, chart,
    note: "Cost per request in the seven whole days after a release against the seven before. A regression is at least 5 % dearer with 99 % confidence. What going back saves is for 30 days.",
    empty: "No prompt version here has a predecessor to be compared with. Log prompt_version with each call, and raise it with each deploy." });
}

const SILENT = [
  { key: "endpoint_tag", label: "Endpoint", href: (row) => (isKept("endpoint", row.endpoint_tag) ? drill("endpoint", row.endpoint_tag) : undefined) }, { key: "prompt_version", label: "Version" }, { key: "changed_on", label: "On" },
  { key: "main_model_before", label: "From" }, { key: "main_model_after", label: "To" },
  { key: "cost_per_attempt_before_usd", label: "Attempt before", kind: "usd" }, { key: "cost_per_attempt_after_usd", label: "After", kind: "usd" },
  { key: "cost_effect_7_days_usd", label: "Effect in 7 days", kind: "signedUsd" },
];

const silentChanges = () => listed("silent_changes", SILENT, { title: "Routing changed, the version did not", wide: true,
  empty: "No prompt version moved to other models without a new name." });

// ---- sections of one question

const tenants = () => [spendByDay("tenant"), breakdown(["tenant"], { title: "Tenants", wide: true, limit: 25, metrics: [...LONG, "cost_per_success"] }), drivers()];
const endpoints = () => [spendByDay("endpoint"), breakdown(["endpoint"], { title: "Endpoints", wide: true, limit: 25, metrics: [...LONG, "cost_per_success", "input_per_request"] }), drivers()];
const users = () => [
  breakdown(["user"], { title: "Users", wide: true, limit: 25, note: "The dearest of all and of each endpoint by name. Services are marked as such, so that they do not hide among people." }),
  breakdown(["agent"], { title: "Agents", wide: true }), spendByDay("agent", { title: "Spend by day and agent" }),
];
const models = () => [
  spendByDay("model"), breakdown(["model"], { title: "Models", wide: true, limit: 25, metrics: [...LONG, "cost_per_success", "hit_rate"] }),
  listed("routing", [
    { key: "endpoint_tag", label: "Endpoint", href: (row) => (isKept("endpoint", row.endpoint_tag) ? drill("endpoint", row.endpoint_tag) : undefined) }, { key: "model", label: "In use" }, { key: "candidate", label: "Candidate" },
    { key: "attempts", label: "Attempts", kind: "count" }, { key: "cost_usd", label: "Cost", kind: "usd" }, { key: "candidate_cost_usd", label: "At the candidate", kind: "usd" },
    { key: "savings_usd", label: "Saves", kind: "usd", bar: true }, { key: "savings_ratio", label: "", kind: "percent" }, { key: "success_ratio", label: "Success now", kind: "percent" }, { key: "candidate_success_ratio", label: "Candidate's", kind: "percent" },
  ], { title: "The same calls at another model", wide: true, note: "Tokens of the last 28 whole days at the candidate's prices. Whether its answers are as good is yours to test.",
    empty: "No cheaper candidate is named. Candidates are rows of routing_candidates.csv, in your own configuration." }),
  silentChanges(),
];
const versions = () => [versionChanges(), silentChanges(), breakdown(["endpoint", "version"], { title: "Spend by prompt version", wide: true, limit: 25, metrics: [...LONG, "input_per_request"] })];

const CAUSES = ["wasted_by_errors", "wasted_by_timeouts", "wasted_by_rate_limits", "wasted_by_cancelling"];

function retries() {
  const whole = total(SPEND, tests());
  const days = group(SPEND, ["day"], tests()).sort((one, other) => (one.day < other.day ? -1 : 1));
  const rejected = (row) => row.wasted - CAUSES.reduce((sum, cause) => sum + row[cause], 0);
  const causes = [...CAUSES.map((key) => [METRICS[key].label.toLowerCase(), (row) => row[key]]), ["answered, and asked again", rejected]];
  const rows = days.flatMap((row) => causes.map(([name, of], slot) => ({ day: row.day, slot, usd: of(row), date: longDate(row.day), name, spend: usd(of(row)) }))).filter((row) => row.usd > 1e-12);
  const metrics = ["wasted", "wasted_share", "requests", "attempts", "attempts_per_request", ...CAUSES];
  const says = `${usd(whole.wasted)}, ${percent(divided(whole.wasted, whole.cost))} of the spend, went to attempts that gave no useful answer.`;
  return [
    figures(["Wasted", usd(whole.wasted), `${percent(divided(whole.wasted, whole.cost))} of the spend`], ["Attempts per request", times(divided(whole.attempts, whole.requests)), `${count(whole.attempts - whole.requests)} more attempts than requests`]),
    panel({ title: "Wasted by day and cause", wide: true, note: says,
      chart: { name: "spend", rows, label: says, legend: causes.map(([name], slot) => [name, slot]).filter(([, slot]) => rows.some((row) => row.slot === slot)) },
      tables: [table([{ key: "day", label: "Day" }, ...["wasted", ...CAUSES].map((key) => ({ key, ...METRICS[key] }))], days, { limit: 400, caption: "Wasted by day" })],
      sql: () => statement(SPEND, ["day"], sqlColumns(SPEND, ["wasted", ...CAUSES]), "day"),
      exported: () => [["day", "wasted", ...CAUSES], ...days.map((row) => [row.day, row.wasted, ...CAUSES.map((cause) => row[cause])])],
      empty: !whole.attempts ? NOTHING : !rows.length ? "Nothing was wasted: no retry in these days." : days.length > 1 ? undefined : says }),
    breakdown(["endpoint"], { title: "Waste by endpoint", wide: true, cube: SPEND, metrics, order: "wasted desc", trend: false }),
    breakdown(["tenant"], { title: "Waste by tenant", wide: true, cube: SPEND, metrics: metrics.slice(0, 5), order: "wasted desc", trend: false }),
    listed("hidden_retries", [{ key: "endpoint_tag", label: "Endpoint" }, { key: "hidden_retries", label: "Retries under new ids", kind: "count" }, { key: "hidden_retries_cost_usd", label: "Cost", kind: "usd" }],
      { title: "Retries that hide under new request ids", note: `They count as requests above. ${NOT_FILTERED}`, empty: "No sign of a client that makes a new request id for each retry." }),
  ];
}

function cache() {
  const cube = data.cubes.cache;
  const whole = total(cube, tests());
  const names = group(cube, ["endpoint"], tests()).filter((row) => row.endpoint !== ELSE && row.input_tokens).slice(0, SERIES).map((row) => row.endpoint);
  const days = group(cube, ["day", "endpoint"], tests()).filter((row) => names.includes(row.endpoint) && row.input_tokens).sort((one, other) => (one.day < other.day ? -1 : 1));
  const rows = days.map((row) => ({ day: row.day, slot: names.indexOf(row.endpoint), value: row.cached_tokens / row.input_tokens, date: longDate(row.day), name: row.endpoint, amount: percent(row.cached_tokens / row.input_tokens) }));
  const metrics = ["missed", "savings", "hit_rate", "cost"];
  const says = `${percent(divided(whole.cached_tokens, whole.input_tokens))} of the input came from the providers' prompt caches, which saved ${usd(whole.savings)}.`;
  const scope = state.tenant !== undefined || state.traffic !== PRODUCTION ? "This mart knows neither tenants nor environments: production as a whole." : undefined;
  return [
    figures(["Input from the cache", percent(divided(whole.cached_tokens, whole.input_tokens))], ["Saved", usd(whole.savings), "against the price without a cache"], ["Still to save", usd(whole.missed), "at the best rate that each endpoint had", whole.missed > 0 ? "warn" : undefined]),
    scope && el("p", { class: "note wide" }, scope),
    panel({ title: "Hit rate by day", wide: true, note: says, chart: { name: "hit_rate", rows, label: says, legend: names.map((name, place) => [name, place, drill("endpoint", name)]) },
      tables: [table([{ key: "day", label: "Day" }, { key: "endpoint", label: "Endpoint" }, { key: "hit_rate", ...METRICS.hit_rate }], days.map((row) => withRatios(row, ["hit_rate"])), { limit: 400, caption: "Hit rate by day" })],
      sql: () => statement(cube, ["day", "endpoint"], sqlColumns(cube, ["hit_rate"]), "day"),
      exported: () => [["day", "endpoint", "hit_rate"], ...days.map((row) => [row.day, row.endpoint, row.cached_tokens / row.input_tokens])],
      empty: new Set(rows.map((row) => row.day)).size > 1 ? undefined : rows.length ? says : NOTHING }),
    breakdown(["model", "endpoint"], { title: "Cache by endpoint and model", wide: true, cube, metrics, order: "missed desc", trend: false }),
  ];
}

function margin() {
  const cube = data.cubes.margin;
  const month = chosenMonth();
  const chosen = [["day", (day) => day === month], ...tests({ without: ["day"] })];
  const whole = total(cube, chosen);
  if (!whole.paying) {
    return [panel({ title: "Margin by tenant", wide: true, empty: cube.length ? "No revenue is known, so there is no margin to show. Revenue is in tenant_revenue.csv, in your own configuration." : NOTHING })];
  }
  const written = date(month, { month: "long", year: "numeric" });
  const isRunning = shifted(LAST, 1).slice(0, 7) === month.slice(0, 7);
  const rows = group(cube, ["tenant"], chosen).filter((row) => row.paying && row.tenant !== ELSE).sort((one, other) => one.margin - other.margin);
  const losing = rows.filter((row) => row.margin < 0);
  const says = losing.length ? `${losing.length === 1 ? "One tenant costs more than it pays" : `${losing.length} tenants cost more than they pay`}: ${losing.slice(0, 3).map((row) => `${row.tenant} ${usd(row.margin)}`).join(", ")}.` : "Every tenant with a known revenue pays more than it costs.";
  const shown = rows.length > 20 ? [...rows.slice(0, 10), ...rows.slice(-10)] : rows;
  const select = el("select", { "aria-label": "Month", onchange: (event) => { location.hash = address(state.section, { month: event.target.value }); } },
    [...MONTHS].reverse().map((each) => el("option", { value: each, selected: each === month }, date(each, { month: "long", year: "numeric" }))));
  return [
    figures(["Pays", usd(whole.revenue), written], ["Calls cost", usd(whole.calls), isRunning ? `until ${date(LAST)}` : undefined], ["Charges and shared spend", usd(whole.allocated)],
      ["Left", usd(whole.margin), percent(divided(whole.margin, whole.revenue)), whole.margin < 0 ? "bad" : undefined]),
    panel({ title: "What each tenant leaves", wide: true, note: `${says}${isRunning ? " The month is not over: it has its whole revenue and the calls so far." : ""}`,
      body: [el("p", { class: "tools" }, el("label", {}, "Month ", select))],
      chart: { name: "signed", label: says, rows: shown.map((row) => ({ name: row.tenant, usd: row.margin, amount: usd(row.margin) })) } }),
    breakdown(["tenant"], { title: "Margin by tenant", wide: true, cube, chosen, metrics: ["revenue", "calls", "allocated", "margin", "margin_ratio", "wasted"], order: "margin", limit: 25, trend: false,
      note: whole.without_revenue ? `${usd(whole.without_revenue)} of the cost belongs to nobody with a known revenue: it has no margin, and is not in what is left.` : undefined }),
  ];
}

// ---- alerts

function alerts() {
  const chosen = LISTS.alerts.find((alert) => alert.alert_id === state.alert);
  const pages = LISTS.alerts.filter((alert) => alert.is_page === "true").length;
  return [
    ...(chosen ? incident(chosen) : []),
    listed("alerts", [
      { key: "entity_id", label: "What", href: toIncident, show: (row) => [named(words(row.rule_id), toIncident(row)), el("span", { class: "note under", title: row.entity_id }, aboutWhom(row))] },
      { key: "severity", label: "Severity", kind: "node", show: (row) => pill(row.severity, TONES[row.severity]) },
      { key: "opened_at", label: "Known since", class: "nowrap", show: (row) => date(row.opened_at) },
      { key: "resolved_at", label: "Resolved", class: "nowrap", show: (row) => (row.resolved_at ? date(row.resolved_at) : pill("open", "warn")) },
      { key: "impact_usd", label: "At stake", kind: "usd" }, { key: "cause_explanation", label: "Likely cause", class: "prose", show: (row) => plain(row.cause_explanation) },
      { key: "owner", label: "Owner" },
    ], { title: "Incidents", wide: true, limit: 15, note: `${count(pages)} that page come first, then those with the same cause and those for the digest.`,
      keep: (row) => !state.from || (row.window_start.slice(0, 10) <= state.to && (row.resolved_at ?? row.window_end) >= state.from),
      empty: "No rule has fired in these days. Rules are rows of alert_rules.csv." }),
  ];
}

const toIncident = (row) => address("alerts", { alert: row.alert_id });

/** One incident with its evidence. */
function incident(alert) {
  const evidence = JSON.parse(alert.evidence || "{}");
  const links = { tenant: alert.entity_type === "tenant" ? alert.entity_id : undefined, endpoint: alert.endpoint_tag ?? (alert.entity_type === "endpoint" ? alert.entity_id : undefined), version: alert.prompt_version ?? undefined, agent: alert.entity_type === "agent" ? alert.entity_id : undefined, user: alert.entity_type === "user" ? alert.entity_id : undefined };
  const pins = Object.fromEntries(Object.entries(links).filter(([dimension, name]) => name !== undefined && isKept(dimension, name)));
  const contributors = LISTS.contributors.filter((row) => row.alert_id === alert.alert_id);
  const ids = new Set(evidence.sample_request_ids ?? []);
  const requests = SAMPLES.filter((row) => ids.has(row.request));
  const children = LISTS.alerts.filter((row) => row.parent_alert_id === alert.alert_id);
  const parent = LISTS.alerts.find((row) => row.alert_id === alert.parent_alert_id);
  return [
    figures(["At stake", usd(alert.impact_usd), `since ${longDate(alert.window_start)}`], ["Observed", measured(alert.observed_value), `${measured(alert.baseline_value)} was usual`], alert.change_percent !== null && ["Change", `${alert.change_percent > 0 ? "+" : ""}${whole.format(alert.change_percent)} %`]),
    panel({ title: `${words(alert.rule_id)}: ${alert.entity_id}`, wide: true, body: [
      el("dl", { class: "facts" }, [
        ["Status", el("span", {}, pill(alert.severity, TONES[alert.severity]), " ", alert.resolved_at ? `resolved ${longDate(alert.resolved_at)}` : "open", ` · known since ${longDate(alert.opened_at)}`)],
        ["Likely cause", plain(alert.cause_explanation)], ["What to do", plain(alert.recommended_action)], ["Owner", plain(alert.owner)],
        parent && ["Told of by", named(`${words(parent.rule_id)}: ${parent.entity_id}`, address("alerts", { alert: parent.alert_id }))],
        children.length && ["Of the same cause", el("span", {}, children.slice(0, 12).map((row) => [named(`${words(row.rule_id)}: ${row.entity_id}`, address("alerts", { alert: row.alert_id })), el("br")]))],
      ].filter(Boolean).flatMap(([term, value]) => [el("dt", {}, term), el("dd", {}, value)])),
      Object.keys(pins).length ? el("p", { class: "actions" }, el("a", { class: "primary", href: address("focus", pins) }, "See the spend behind it")) : "",
    ], sql: evidence.sql }),
    contributors.length && panel({ title: "Who drove it", wide: true, note: "Dollars beyond the usual days.", tables: [table([
      { key: "entity_type", label: "Kind", kind: "words" }, { key: "entity_id", label: "Name" }, { key: "cost_usd", label: "Cost", kind: "usd" }, { key: "usual_cost_usd", label: "Usual", kind: "usd" }, { key: "beyond_usual_usd", label: "Beyond", kind: "usd", bar: true }], contributors, { limit: 20, caption: "Who drove it" })],
      sql: `select entity_type, entity_id, cost_usd, usual_cost_usd, beyond_usual_usd\nfrom marts.alert_contributors\nwhere alert_id = ${literal(alert.alert_id)}\norder by entity_type, contributor_rank` }),
    samples(requests, "Requests in evidence"),
  ];
}

const measured = (value) => (value === null ? NONE : Math.abs(value) >= 1000 ? count(value) : String(Number(value.toPrecision(4))));

// ---- can the numbers be believed

const OUTCOMES = ["priced", "not_billed", "unpriced", "usage_missing", "partial", "provider_reported", "duplicate", "merged", "left_out", "quarantined", "rejected"];

function quality() {
  const rows = LISTS.coverage;
  const sum = rows.reduce((all, row) => all + row.row_count, 0);
  const priced = rows.filter((row) => ["priced", "not_billed", "provider_reported"].includes(row.outcome)).reduce((all, row) => all + row.row_count, 0);
  const ordered = [...rows].sort((one, other) => other.row_count - one.row_count);
  const says = `${percent(divided(priced, sum))} of ${count(sum)} logged rows have a known cost or were not billed; ${ordered.map((row) => `${words(row.outcome)} ${count(row.row_count)}`).join(", ")}.`;
  const slot = (row) => Math.min(ordered.indexOf(row), SERIES);
  const failing = LISTS.health.filter((row) => row.failed_calls > 0).length;
  const days = new Set(DAYS).size;
  return [
    figures(["Rows of the log", count(sum), `${count(days)} days, ${FIRST ? `${date(FIRST)} to ${longDate(LAST)}` : ""}`], ["Priced or not billed", percent(divided(priced, sum))], ["Checks with findings", `${failing} of ${LISTS.health.length}`, undefined, failing ? "warn" : undefined]),
    listed("coverage", [{ key: "outcome", label: "What became of a row", kind: "words" }, { key: "row_count", label: "Rows", kind: "count" }, { key: "input_tokens", label: "Input tokens", kind: "count" }, { key: "output_tokens", label: "Output tokens", kind: "count" }, { key: "cost_usd", label: "Cost", kind: "usd" }],
      { title: "Where every row of the log went", wide: true, limit: 12, note: `${says} ${NOT_FILTERED}`, empty: "The log is empty.",
        chart: () => ({ name: "coverage", keep: true, label: says, rows: ordered.map((row) => ({ rows: row.row_count, slot: slot(row), name: words(row.outcome), count: count(row.row_count) })), legend: [...ordered.slice(0, SERIES).map((row, place) => [words(row.outcome), place]), ...(ordered.length > SERIES ? [["the rest", SERIES]] : [])] }) }),
    reconciliation(),
    listed("unpriced", [{ key: "model", label: "Model" }, { key: "provider", label: "Provider" }, { key: "cost_status", label: "Why", kind: "words" }, { key: "attempts", label: "Attempts", kind: "count" }, { key: "input_tokens", label: "Input tokens", kind: "count" }, { key: "output_tokens", label: "Output tokens", kind: "count" }, { key: "nearest_models", label: "Resembles" }],
      { title: "Usage without a known cost", wide: true, note: "Not in the spend. marts.unpriced_usage has the rows to add to price_overrides.csv.", empty: "Every call that should have a cost has one." }),
    listed("health", [{ key: "check_name", label: "Check", kind: "words" }, { key: "failed_calls", label: "Findings", kind: "count" }, { key: "checked_calls", label: "Checked", kind: "count" }, { key: "passed", label: "Passed", kind: "node", class: "number", show: (row) => percent(row.checked_calls ? 1 - row.failed_calls / row.checked_calls : null) }, { key: "cost_usd", label: "Dollars concerned", kind: "usd" }, { key: "what_to_do", label: "What mends it", class: "prose", show: (row) => (row.failed_calls ? row.what_to_do : "") }],
      { title: "Can the log be believed", wide: true, limit: 16, empty: "No call has been checked yet." }),
    listed("refused", [{ key: "reason", label: "Reason", class: "prose", show: (row) => plain(row.reason) }, { key: "source", label: "Source" }, { key: "outcome", label: "Outcome" }, { key: "refused_rows", label: "Rows", kind: "count" }],
      { title: "Rows that were refused", wide: true, empty: "No row was refused.", note: "marts.quarantined_events says which, with file and line." }),
  ];
}

/** Ours against the provider's bill, when the warehouse has the mart: its own columns, as they are. */
function reconciliation() {
  const names = Object.keys(data.lists.reconciliation?.columns ?? {});
  const columns = names.map((key) => ({ key, label: words(key.replace(/_usd$/, "")), kind: data.lists.reconciliation.columns[key].decimals !== undefined ? "usd" : data.lists.reconciliation.columns[key].names ? "text" : "count" }));
  return listed("reconciliation", columns, { title: "Reconciliation with the bill", wide: true,
    empty: "No bill of a provider has been loaded, so there is nothing to compare with yet." });
}

const SECTIONS = {
  overview: ["Overview", overview], tenants: ["Tenants", tenants], endpoints: ["Endpoints", endpoints], users: ["Users and agents", users],
  models: ["Models", models], versions: ["Prompt versions", versions], retries: ["Retries and waste", retries], cache: ["Cache", cache],
  margin: ["Margin", margin], alerts: ["Alerts", alerts], quality: ["Data quality", quality], focus: [undefined, focus],
};
