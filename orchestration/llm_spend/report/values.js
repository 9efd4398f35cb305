// The data, sums over them, and how a value is written on the page, in a CSV file and in SQL.

const bytes = atob(document.getElementById("data").textContent);
const packed = new Uint8Array(bytes.length);
for (let place = 0; place < bytes.length; place++) packed[place] = bytes.charCodeAt(place);
const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
const data = await new Response(unpacked).json();

const ELSE = null; // the name of what is not named
const scale = (column) => 10 ** (column.decimals ?? 0);

/** A list's rows as objects; amounts in USD. */
function rowsOf(list) {
    if (!list) return [];
    const columns = Object.entries(list.columns).map(([name, column]) => [name, reader(column)]);
    return Array.from({ length: list.length }, (_, row) =>
        Object.fromEntries(columns.map(([name, read]) => [name, read(row)])),
    );
}

function reader(column) {
    if (column.names) return (row) => column.names[column.values[row]];
    const divisor = scale(column);
    return (row) => (column.values[row] === null ? null : column.values[row] / divisor);
}

/** Rows of a cube that the tests allow: an array of [dimension, (name) => boolean]. */
function matching(cube, tests) {
    const masks = tests
        .filter(([dimension]) => cube.columns[dimension])
        .map(([dimension, test]) => [cube.columns[dimension].values, cube.columns[dimension].names.map(test)])
        .filter(([, mask]) => mask.includes(false));
    const rows = [];
    next: for (let row = 0; row < cube.length; row++) {
        for (const [values, mask] of masks) if (!mask[values[row]]) continue next;
        rows.push(row);
    }
    return rows;
}

/** Sums of every measure by the names of some dimensions, the dearest first. Integers are added, so sums are exact. */
function group(cube, by, tests) {
    const measures = Object.keys(cube.measures);
    const columns = measures.map((measure) => cube.columns[measure].values);
    const keys = by.map((dimension) => cube.columns[dimension]);
    const groups = new Map();
    for (const row of matching(cube, tests)) {
        const key = keys.reduce((code, { values, names }) => code * (names.length + 1) + values[row], 0);
        let sums = groups.get(key);
        if (!sums) groups.set(key, (sums = { row, totals: new Array(measures.length).fill(0) }));
        for (let place = 0; place < columns.length; place++) sums.totals[place] += columns[place][row];
    }
    return [...groups.values()]
        .map(({ row, totals }) =>
            Object.fromEntries([
                ...by.map((dimension, place) => [dimension, keys[place].names[keys[place].values[row]]]),
                ...measures.map((measure, place) => [measure, totals[place] / scale(cube.columns[measure])]),
            ]),
        )
        .sort((one, other) => (one[by[0]] === ELSE) - (other[by[0]] === ELSE) || (other.cost ?? 0) - (one.cost ?? 0));
}

/** One row with the sums of all. */
function total(cube, tests) {
    const [sums] = group(cube, [], tests);
    return sums ?? Object.fromEntries(Object.keys(cube.measures).map((measure) => [measure, 0]));
}

/** The sum of rows, measure by measure. */
function added(rows, measures) {
    return Object.fromEntries(measures.map((measure) => [measure, rows.reduce((sum, row) => sum + row[measure], 0)]));
}

const divided = (part, whole) => (whole ? part / whole : null);

// ---- as a person reads it

const number = (decimals) =>
    new Intl.NumberFormat("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
const [whole, tenths, cents, fine, finest] = [0, 1, 2, 4, 6].map(number);
const NONE = "–";

/** Dollars to the cent; small amounts to the first two digits that say something. */
function usd(amount) {
    if (amount === null || amount === undefined) return NONE;
    const size = Math.abs(amount);
    const written = (size === 0 || size >= 0.1 ? cents : size >= 0.001 ? fine : finest).format(size);
    return `${amount < 0 ? "−" : ""}$${written}`;
}

/** The price of one: never rounded to the cent alone. */
const unit = (amount) =>
    amount === null || Math.abs(amount) >= 10 || amount === 0
        ? usd(amount)
        : `$${(amount >= 0.001 ? fine : finest).format(amount)}`;
const signedUsd = (amount) => (amount > 0 ? `+${usd(amount)}` : usd(amount));
const count = (amount) => (amount === null ? NONE : whole.format(amount));
const percent = (ratio) => (ratio === null ? NONE : `${tenths.format(ratio * 100).replace("-", "−")}%`);
const signedPercent = (ratio) => (ratio > 0 ? `+${percent(ratio)}` : percent(ratio));
const times = (ratio) => (ratio === null ? NONE : `${cents.format(ratio)}×`);
const plain = (text) => (text === null || text === undefined ? NONE : String(text));
const words = (text) => plain(text).replaceAll("_", " ");
const WRITTEN = { usd, unit, signedUsd, count, percent, signedPercent, times, text: plain, words };

const calendar = (options) => new Intl.DateTimeFormat("en-GB", { ...options, timeZone: "UTC" });
const [dayMonth, dayMonthYear, monthYear] = [
    { day: "numeric", month: "short" },
    { day: "numeric", month: "short", year: "numeric" },
    { month: "long", year: "numeric" },
].map(calendar);
const instant = (day) => Date.parse(`${day.slice(0, 10)}T00:00:00Z`);
const date = (day) => dayMonth.format(instant(day)).replace("Sept", "Sep"); // as the charts write it
const longDate = (day) => dayMonthYear.format(instant(day)).replace("Sept", "Sep");
const monthOf = (day) => monthYear.format(instant(day));
const shifted = (day, days) => new Date(instant(day) + days * 864e5).toISOString().slice(0, 10);

// ---- as a spreadsheet reads it

/** Text that a spreadsheet would take for a formula is marked as text; numbers stay numbers. */
function csvCell(value) {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") {
        const short = String(value);
        return short.includes("e") ? value.toFixed(12).replace(/\.?0+$/, "") : short;
    }
    const text = /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const csv = (rows) => rows.map((row) => `${row.map(csvCell).join(",")}\r\n`).join("");

// ---- as the database reads it

const lines = (...text) => text.join("\n");
const literal = (text) => `'${text.replaceAll("'", "''")}'`;
