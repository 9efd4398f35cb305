// Pieces of the page. Text is always set as text.

/** An element with properties and children; null and false children are left out. */
function el(tag, properties = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
        if (value === undefined || value === null || value === false) continue;
        if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
        else if (name === "class") node.className = value;
        else node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
    return node;
}

/** A name, cut by the style sheet where it is long, whole in its title. */
const named = (text, href) => el(href ? "a" : "span", { class: "name", href, title: plain(text) }, plain(text));

const pill = (text, tone) => el("span", { class: `pill ${tone ?? ""}` }, text);
const TONES = {
    critical: "bad",
    regression: "bad",
    exceeded: "bad",
    draining: "bad",
    warning: "warn",
    forecast_exceeded: "warn",
    improvement: "good",
    ok: "good",
    resolved: "",
    open: "warn",
    info: "",
};

/**
 * A table of objects. A column is {key, label, kind, href, show, bar}: `kind` says how a value is written, `href` where
 * it leads, `show` replaces the cell, `bar` draws the value's size behind it. Rows past the limit are shown on request.
 */
function table(columns, rows, { foot, caption, limit = 10 } = {}) {
    const isNumber = (column) => !["text", "words", "node"].includes(column.kind ?? "text");
    const largest = Object.fromEntries(
        columns
            .filter((column) => column.bar)
            .map(({ key }) => [key, Math.max(...rows.map((row) => Math.abs(row[key] ?? 0)), 0)]),
    );
    const cell = (column, row, tag) => {
        const value = row[column.key];
        const href = column.href?.(row);
        const content = column.show
            ? column.show(row)
            : isNumber(column)
              ? WRITTEN[column.kind](value ?? null)
              : named(column.kind === "words" ? words(value) : value, href);
        const size = column.bar && row !== foot && largest[column.key] ? Math.abs(value ?? 0) / largest[column.key] : 0;
        return el(
            tag,
            {
                class: [isNumber(column) ? "number" : "", column.class ?? ""].join(" ").trim() || undefined,
                scope: tag === "th" ? "row" : undefined,
                style: size ? `--size: ${(size * 100).toFixed(1)}%` : undefined,
                "data-bar": Boolean(size),
            },
            content,
        );
    };
    const line = (row) => {
        const href = columns[0].href?.(row);
        return el(
            "tr",
            {
                class: row.quiet ? "quiet" : undefined,
                "data-href": href,
                onclick:
                    href &&
                    ((event) => {
                        if (!event.target.closest("a, button")) location.hash = href;
                    }),
            },
            columns.map((column, place) => cell(column, row, place ? "td" : "th")),
        );
    };
    const body = el("tbody", {}, rows.map(line));
    const node = el(
        "table",
        {},
        caption && el("caption", { class: "hidden" }, caption),
        el(
            "thead",
            {},
            el(
                "tr",
                {},
                columns.map((column) =>
                    el("th", { scope: "col", class: isNumber(column) ? "number" : undefined }, column.label),
                ),
            ),
        ),
        body,
        foot &&
            el(
                "tfoot",
                {},
                el(
                    "tr",
                    {},
                    columns.map((column, place) => cell(column, foot, place ? "td" : "th")),
                ),
            ),
    );
    const wrapped = el("div", { class: "table", role: "region", tabindex: "0", "aria-label": caption }, node);
    if (rows.length <= limit + 1) return wrapped;
    // a row that stands for others gives way to them
    [...body.rows].forEach((row, place) =>
        row.classList.add(rows[place].stands ? "less" : place < limit ? "always" : "more"),
    );
    const button = el(
        "button",
        {
            type: "button",
            class: "quiet",
            onclick: () => {
                wrapped.classList.add("all");
                button.remove();
            },
        },
        `Show all ${count(rows.filter((row) => !row.stands && !row.quiet).length)}`,
    );
    return el("div", {}, wrapped, button);
}

/**
 * A part of a section: a title, what it says, a chart or a table or both, and the ways to take the numbers along.
 * `exported` are [heading, values of a row] for the CSV file, `sql` the statement that gives the same numbers.
 */
function panel({ title, note, chart, tables = [], body = [], sql, exported, wide, empty }) {
    const node = el("section", { class: `panel${wide ? " wide" : ""}`, "aria-label": title });
    const tools = el(
        "p",
        { class: "tools" },
        chart &&
            tables.length &&
            !chart.keep &&
            el(
                "button",
                {
                    type: "button",
                    class: "quiet",
                    "aria-expanded": "false",
                    onclick: ({ currentTarget }) => {
                        const isOpen = node.classList.toggle("with-table");
                        currentTarget.setAttribute("aria-expanded", String(isOpen));
                    },
                },
                "Table",
            ),
        exported &&
            el(
                "button",
                {
                    type: "button",
                    class: "quiet",
                    "aria-label": `Download ${title} as CSV`,
                    onclick: () => download(title, csv(exported())),
                },
                "CSV",
            ),
        sql &&
            el(
                "button",
                {
                    type: "button",
                    class: "quiet",
                    "aria-label": `Copy ${title} as SQL`,
                    onclick: () => showSql(typeof sql === "function" ? sql() : sql),
                },
                "SQL",
            ),
    );
    node.append(
        el("header", {}, el("h2", {}, title), !empty && tools.childElementCount ? tools : ""),
        note && !empty ? el("p", { class: "note" }, note) : "",
    );
    if (empty) node.append(el("p", { class: "empty" }, empty));
    else {
        if (chart) node.append(figure(chart), chart.legend ? legend(chart.legend) : "");
        if (tables.length) node.append(el("div", { class: chart && !chart.keep ? "tables folded" : "tables" }, tables));
        node.append(...body);
    }
    return node;
}

const legend = (names) =>
    el(
        "ul",
        { class: "legend" },
        names.map(([name, slot, href]) =>
            el("li", {}, el("i", { style: `background: var(--series-${slot})` }), named(name, href)),
        ),
    );

/** A chart with a text for those who do not see it. */
function figure({ name, rows, label, onclick }) {
    const place = el("div", { class: "chart", role: "img", "aria-label": label, "data-chart": name });
    drawn.push(drawChart(place, name, rows, onclick));
    return place;
}

let drawn = [];
const views = [];

async function drawChart(place, name, rows, onclick) {
    const options = {
        actions: false,
        renderer: "svg",
        ast: true,
        mode: "vega-lite",
        config: data.config,
        tooltip: { theme: "page" },
    };
    await attached(place);
    const spec = data.charts[name];
    // a width that is the page's and a height by the row do not go together
    const height = spec.height.step ? spec.height.step * new Set(rows.map((row) => row.name)).size : spec.height;
    const { view } = await window.vegaEmbed(
        place.appendChild(el("div")),
        { ...spec, height, datasets: { rows } },
        options,
    );
    views.push(view);
    if (onclick) view.addEventListener("click", (_, item) => item?.datum && onclick(item.datum));
    place.dataset.drawn = rows.length;
}

/** The width of a chart is known once it is on the page. */
const attached = (node) =>
    new Promise((resolve) => {
        const look = () => (node.isConnected ? resolve() : requestAnimationFrame(look));
        look();
    });

function forgetCharts() {
    views.splice(0).forEach((view) => view.finalize());
    drawn = [];
}

const figures = (...numbers) =>
    el(
        "dl",
        { class: "figures" },
        numbers
            .filter(Boolean)
            .map(([label, value, note, tone]) =>
                el(
                    "div",
                    {},
                    el("dt", {}, label),
                    el("dd", { class: tone }, value),
                    note && el("dd", { class: "note" }, note),
                ),
            ),
    );

function spark(values) {
    if (values.length < 2) return "";
    const top = Math.max(...values) || 1;
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", `0 0 ${values.length - 1} 20`);
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("class", "spark");
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS(svg.namespaceURI, "polyline");
    line.setAttribute(
        "points",
        values.map((value, place) => `${place},${(19 - (value / top) * 18).toFixed(1)}`).join(" "),
    );
    svg.append(line);
    return svg;
}

function download(title, text) {
    const link = el("a", {
        href: URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv" })),
        download: `${title
            .toLowerCase()
            .replace(/[^a-z0-9]+/g, "-")
            .replace(/^-|-$/g, "")}.csv`,
    });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function showSql(sql) {
    const dialog = document.getElementById("sql");
    dialog.querySelector("pre").textContent = sql;
    dialog.querySelector("[role=status]").textContent = "";
    dialog.showModal();
}

async function copySql() {
    const dialog = document.getElementById("sql");
    const [text, told] = [dialog.querySelector("pre"), dialog.querySelector("[role=status]")];
    try {
        await navigator.clipboard.writeText(text.textContent);
        told.textContent = "Copied";
    } catch {
        getSelection().selectAllChildren(text);
        told.textContent = "Selected: press Ctrl or ⌘ and C";
    }
}
