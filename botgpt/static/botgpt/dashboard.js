// Draws the dashboard's charts with Chart.js, which Unfold brings and loads on every page of the admin.
// The figures stand in the page as JSON; colours come from dashboard.css and follow the theme as it is switched.

const figures = JSON.parse(document.getElementById("charts")?.textContent ?? "{}");
const drawn = [];
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

function colour(name) {
  return getComputedStyle(document.querySelector(".dashboard")).getPropertyValue(name).trim();
}

function dataset({ name, values }, place, kind) {
  const own = colour(`--chart-${(place % 5) + 1}`);
  return {
    label: name,
    data: values,
    backgroundColor: own,
    borderColor: own,
    borderWidth: kind === "line" ? 2 : 0,
    pointRadius: kind === "line" && values.length <= 31 ? 2 : 0,
    borderDash: kind === "line" && place ? [6, 3] : [],
    spanGaps: true,
    maxBarThickness: 28,
  };
}

function draw(canvas) {
  const { kind, labels, series } = figures[canvas.dataset.chart];
  const isBar = kind === "bar";
  const text = colour("--chart-text");
  const ticks = { color: text, font: { size: 11 } };
  const seconds = (value) => `${value / 1000} s`;
  const isTime = canvas.dataset.chart.startsWith("time");
  return new Chart(canvas, {
    type: kind,
    data: { labels, datasets: series.map((one, place) => dataset(one, place, kind)) },
    options: {
      animation: still ? false : { duration: 250 },
      responsive: true,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      plugins: {
        legend: {
          display: series.length > 1,
          position: "bottom",
          labels: { color: text, boxWidth: isBar ? 12 : 28, boxHeight: isBar ? 12 : 0 },
        },
        tooltip: isTime ? { callbacks: { label: (at) => `${at.dataset.label}: ${seconds(at.parsed.y)}` } } : {},
      },
      scales: {
        x: { stacked: isBar, grid: { display: false }, ticks: { ...ticks, maxRotation: 0, autoSkipPadding: 16 } },
        y: {
          stacked: isBar,
          beginAtZero: true,
          border: { display: false },
          grid: { color: colour("--chart-grid") },
          ticks: { ...ticks, maxTicksLimit: 6, precision: isTime || canvas.dataset.chart.startsWith("cost") ? undefined : 0,
            ...(isTime ? { callback: seconds } : {}) },
        },
      },
    },
  });
}

function drawAll() {
  drawn.splice(0).forEach((chart) => chart.destroy());
  drawn.push(...Array.from(document.querySelectorAll("canvas[data-chart]"), draw));
}

drawAll();
// Unfold switches the theme by a class of the root element.
new MutationObserver(drawAll).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
