/* The run that is shown, the step at which it stands, and what moves it: slider, keys, links, own inputs. */

const data = JSON.parse(byId("report-data").textContent);
const shown = { run: null, example: null, step: 1 };

const ENDS = {
  halted: (steps) => `stopped by itself after ${steps} timesteps`,
  horizon: (steps) => `cut after ${steps} timesteps`,
  unseen: (steps) => `after ${steps} timesteps no block fits: this was never recorded`,
};

function touchText(touch) {
  return touch.gate === "READ"
    ? `READ cell ${touch.address}, which holds ${touch.value}`
    : `WRITE ${touch.value} into cell ${touch.address}`;
}

function rowText(row) {
  const steps = shown.run.rows.length - 1;
  if (row.block === null) {
    return `The end: ${ENDS[shown.run.outcome](steps)}.`;
  }
  const touched = [...new Set(row.touched.map(touchText))];
  return [`Step ${shown.step} of ${steps}: block ${data.blocks[row.block]}`, ...touched].join("; ");
}

function draw() {
  const row = shown.run.rows[shown.step - 1];
  const { wanted, soft } = shown.example;
  const moment = soft ? soft[shown.step - 1] : undefined;
  byId("slider").max = shown.run.rows.length;
  byId("slider").value = shown.step;
  byId("slider").setAttribute("aria-valuetext", row.block === null ? "the end" : `timestep ${shown.step}`);
  byId("now").textContent = rowText(row);
  showBlock(row.block);
  showHard(row, wanted);
  showSoft(moment);
  showSelectors(moment, row.block);
}

function address() {
  const { n, seed, memory } = shown.example;
  const which = n === undefined ? `memory=${memory.join(",")}` : `n=${n}&seed=${seed}`;
  const most = n === undefined && !program.HALTS ? `&steps=${shown.example.most}` : "";
  return `#step=${shown.step}&${which}${most}`;
}

function go(step) {
  shown.step = Math.min(Math.max(1, step), shown.run.rows.length);
  draw();
  history.replaceState(null, "", address());
}

function show(example, step) {
  shown.run = record(example.memory, example.most);
  shown.example = example;
  shown.step = Math.min(Math.max(1, step), shown.run.rows.length);
  const index = data.examples.indexOf(example);
  byId("example").value = index < 0 ? "own" : String(index);
  draw();
}

/* An input of one's own as an example; throws with the reason where it cannot be run. */
function ownExample(memoryText, stepsText) {
  const memory = program.checked(integers(memoryText));
  return { memory, ...judged(memory), most: program.HALTS ? program.mostSteps(memory.length) : ownSteps(stepsText) };
}

function ownSteps(text) {
  const numbers = integers(text);
  if (numbers.length !== 1 || numbers[0] < 0) {
    throw new RangeError("this program does not stop by itself; say after how many timesteps it is cut, as one number");
  }
  return numbers[0];
}

/* Whether the output of a legal memory is right at the end. */
function verdict({ legal, wanted }, memory) {
  if (!legal) {
    return "";
  }
  const right = Object.entries(wanted).every(([cell, value]) => memory[cell] === value);
  return ` The output is ${right ? "right" : "WRONG"}.`;
}

function runOwn(memoryText, stepsText, step) {
  byId("own-said").textContent = "";
  try {
    const example = ownExample(memoryText, stepsText);
    show(example, step);
    const { memory } = shown.run.rows[shown.run.rows.length - 1];
    byId("own-said").textContent = `Memory at the end: ${memory.join(", ")}. ${example.says}${verdict(example, memory)}`;
    return true;
  } catch (error) {
    byId("own-said").textContent = `Not run: ${error.message}.`;
    return false;
  }
}

/* Follow an address such as #step=17&n=5&seed=2 or #step=3&memory=2,7,0,0. */
function follow() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  if (!wanted.has("step")) {
    return false;
  }
  const step = Number.parseInt(wanted.get("step"), 10) || 1;
  if (wanted.has("memory")) {
    byId("own-input").open = true;
    byId("own-memory").value = wanted.get("memory").replaceAll(",", ", ");
    byId("own-steps").value = wanted.get("steps") ?? "";
    return runOwn(byId("own-memory").value, byId("own-steps").value, step);
  }
  const [n, seed] = ["n", "seed"].map((name) => Number(wanted.get(name) ?? NaN));
  const example = data.examples.find((other) => other.n === n && other.seed === seed);
  if (!example) {
    byId("now").textContent = `This page has no example with n = ${wanted.get("n")} and seed = ${wanted.get("seed")}.`;
    return false;
  }
  show(example, step);
  return true;
}

function listen() {
  const moves = { first: () => 1, back: () => shown.step - 1, forth: () => shown.step + 1, last: () => Infinity };
  for (const [identifier, to] of Object.entries(moves)) {
    byId(identifier).addEventListener("click", () => go(to()));
  }
  byId("slider").addEventListener("input", (event) => go(Number(event.target.value)));
  byId("example").addEventListener("change", (event) => {
    show(data.examples[Number(event.target.value)], 1);
    go(1);
  });
  byId("own").addEventListener("submit", (event) => {
    event.preventDefault();
    if (runOwn(byId("own-memory").value, byId("own-steps").value, 1)) {
      go(1);
    }
  });
  document.addEventListener("keydown", onKey);
  window.addEventListener("hashchange", follow);
}

const KEYS = { ArrowLeft: "back", ArrowRight: "forth", Home: "first", End: "last" };

function onKey(event) {
  const busy = event.target.closest("input, select, textarea, .scroll, pre, .listing");
  const jumps = event.key === "Home" || event.key === "End";
  const elsewhere = jumps && !event.target.closest("#machine");
  if (busy || elsewhere || !(event.key in KEYS) || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) {
    return;
  }
  event.preventDefault();
  byId(KEYS[event.key]).click();
}

/* What is shown of a program without a task, until somebody puts in more. */
function blank() {
  return { memory: new Array(Math.max(1, program.SMALLEST_SIZE)).fill(0), most: 20 };
}

function start() {
  if (program === null) {
    return;
  }
  const options = data.examples.map((example, index) =>
    element("option", { value: String(index) }, `n = ${example.n}, seed ${example.seed}`),
  );
  fill("example", ...options, element("option", { value: "own", disabled: true }, "an input of your own"));
  byId("own-steps-label").hidden = program.HALTS;
  byId("machine").hidden = false;
  byId("static-run")?.removeAttribute("open");
  listen();
  show(data.examples.find((example) => example.n >= 3) ?? data.examples[0] ?? blank(), 1);
  follow();
}

start();
