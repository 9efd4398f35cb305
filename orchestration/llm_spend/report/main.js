// Draws the section that the address names, anew for each address.

const SECTIONS = {
    overview: ["Overview", overview],
    tenants: ["Tenants", tenants],
    endpoints: ["Endpoints", endpoints],
    users: ["Users and agents", users],
    models: ["Models", models],
    versions: ["Prompt versions", versions],
    retries: ["Retries and waste", retries],
    cache: ["Cache", cache],
    margin: ["Margin", margin],
    bill: ["Providers' bills", bill],
    alerts: ["Alerts", alerts],
    quality: ["Data quality", quality],
    focus: [undefined, focus],
};

function title() {
    const alert = state.section === "alerts" && LISTS.alerts.find((each) => each.alert_id === state.alert);
    if (alert) return `${words(alert.rule_id)}: ${alert.entity_id}`;
    if (state.section !== "focus") return SECTIONS[state.section]?.[0] ?? "Overview";
    const last = state.pins.at(-1) ?? "tenant";
    return state[last] ?? "Overview";
}

/** From the overview through the names in the order of their choice. */
function breadcrumbs() {
    const crumbs = [["Overview", address("overview")]];
    if (state.section === "focus") {
        if (state.tenant !== undefined) crumbs.push([`tenant ${state.tenant}`, focusOn([])]);
        state.pins.forEach((pin, place) =>
            crumbs.push([`${KINDS[pin][0]} ${state[pin]}`, focusOn(state.pins.slice(0, place + 1))]),
        );
    } else {
        const [name] = SECTIONS[state.section];
        crumbs.push([name, address(state.section)]);
        if (title() !== name) crumbs.push([title(), location.hash]);
    }
    return el(
        "nav",
        { class: "crumbs", "aria-label": "Breadcrumbs" },
        el(
            "ol",
            {},
            crumbs.map(([text, href], place) =>
                el(
                    "li",
                    {},
                    place === crumbs.length - 1
                        ? el("span", { class: "name", "aria-current": "page", title: text }, text)
                        : named(text, href),
                ),
            ),
        ),
    );
}

function focusOn(pins) {
    return address(
        "focus",
        Object.fromEntries(state.pins.map((pin) => [pin, pins.includes(pin) ? state[pin] : undefined])),
    );
}

function drawNav() {
    const open = LISTS.alerts.filter((alert) => alert.is_page === "true" && alert.status === "open").length;
    document.getElementById("nav").replaceChildren(
        el(
            "ul",
            {},
            Object.entries(SECTIONS)
                .filter(([, [text]]) => text)
                .map(([section, [text]]) =>
                    el(
                        "li",
                        {},
                        el(
                            "a",
                            { href: address(section), "aria-current": state.section === section ? "page" : undefined },
                            text,
                            section === "alerts" && open
                                ? el("span", { class: "badge", "aria-label": `${open} open` }, String(open))
                                : "",
                        ),
                    ),
                ),
        ),
    );
}

function drawFilters() {
    const form = document.getElementById("filters");
    if (!FIRST) return form.replaceChildren();
    const go = (changes) => {
        location.hash = address(state.section, changes);
    };
    const day = (key, label) =>
        el(
            "label",
            {},
            label,
            el("input", {
                type: "date",
                name: key,
                min: FIRST,
                max: LAST,
                value: state[key],
                onchange: (event) => go({ [key]: event.target.value || DEFAULTS[key] }),
            }),
        );
    const choice = (key, label, options) =>
        el(
            "label",
            {},
            el(
                "select",
                {
                    name: key,
                    "aria-label": label,
                    onchange: (event) =>
                        go({ [key]: event.target.value === "" ? undefined : event.target.value.slice(1) }),
                },
                options.map(([value, text]) =>
                    el(
                        "option",
                        { value: value === undefined ? "" : `=${value}`, selected: state[key] === value, title: text },
                        text.length > 60 ? `${[...text].slice(0, 60).join("")}…` : text,
                    ),
                ),
            ),
        );
    const tenantNames = group(SPEND, ["tenant"], [])
        .map((row) => row.tenant)
        .filter((name) => name !== ELSE);
    const traffics = SPEND.columns.traffic.names.filter((name) => name !== PRODUCTION);
    const described = (name) =>
        name
            .replace(/^prod /, "production, ")
            .replace(" real", "")
            .replace(/^(staging|dev) (test|demo)$/, "$1, $2")
            .concat(/ (test|demo)$/.test(name) ? " data" : "");
    const quick = [
        ["All", FIRST, LAST],
        ["28 days", shifted(LAST, -27), LAST],
        ["7 days", shifted(LAST, -6), LAST],
    ].filter(([, from]) => from >= FIRST);
    form.replaceChildren(
        el(
            "div",
            { class: "quick", role: "group", "aria-label": "Time range" },
            quick.map(([text, from, to]) =>
                el(
                    "a",
                    {
                        href: address(state.section, { from, to }),
                        "aria-current": state.from === from && state.to === to ? "true" : undefined,
                    },
                    text,
                ),
            ),
        ),
        day("from", "From"),
        day("to", "To"),
        choice("tenant", "Tenant", [[undefined, "All tenants"], ...tenantNames.map((name) => [name, name])]),
        choice("traffic", "Environment", [
            [PRODUCTION, "Production"],
            ...traffics.map((name) => [name, described(name)]),
            [EVERYTHING, "Everything"],
        ]),
    );
}

async function draw({ isFirst } = {}) {
    const place = scrollY;
    const shown = location.hash;
    readAddress();
    if (!SECTIONS[state.section]) state.section = "overview";
    forgetCharts();
    const [, section] = SECTIONS[state.section];
    drawNav();
    drawFilters();
    const main = document.getElementById("main");
    const content =
        FIRST || state.section === "quality"
            ? section()
            : [
                  panel({
                      title: title(),
                      wide: true,
                      empty: "There is no call yet: the log that was built is empty. Load one with llm-spend build --events, and write the report again.",
                  }),
              ];
    main.replaceChildren(
        state.section === "overview" ? "" : breadcrumbs(),
        el("h1", { title: title() }, title()),
        el("div", { class: "panels" }, content.flat().filter(Boolean)),
    );
    document.title = `${title().slice(0, 80)} · LLM spend`;
    if (!isFirst && drawnSection !== state.section + state.pins.join()) {
        scrollTo(0, 0);
        main.focus({ preventScroll: true });
    } else scrollTo(0, place);
    drawnSection = state.section + state.pins.join();
    await Promise.all(drawn);
    if (location.hash === shown) document.documentElement.dataset.ready = shown || "#";
}

let drawnSection;

function drawTheme(theme) {
    document.documentElement.dataset.theme = theme;
    document.getElementById("theme").textContent = theme === "dark" ? "Light" : "Dark";
    document
        .getElementById("theme")
        .setAttribute("aria-label", `Switch to the ${theme === "dark" ? "light" : "dark"} look`);
}

drawTheme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
document
    .getElementById("theme")
    .addEventListener("click", () => drawTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
document.getElementById("as-of").textContent = `as of ${data.as_of.slice(0, 16)} UTC`;
document.getElementById("foot").textContent =
    `llm_spend ${data.release}. Every number is a mart's; SQL beside a table gives it again. Days are ${data.timezone}.` +
    (Object.values(data.others).some(Boolean)
        ? " The dearest of each kind stand by name, the others as everything else, so that totals are whole."
        : "");
document.querySelector("#sql .primary").addEventListener("click", copySql);
document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", () => draw());
draw({ isFirst: true });
