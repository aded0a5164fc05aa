// Who is here, which models answer, and what is left to spend.

import { get } from "./api.js";
import { $, h } from "./dom.js";
import { count, moment } from "./words.js";

const PERIODS = { day: "today", month: "this month" };

/** The models that can be asked; without any, the page says so. */
export async function models() {
  const { models: all } = await get("/models");
  const isOffline = all.every(({ provider }) => provider === "offline");
  $("#offline").hidden = !isOffline;
  return all;
}

export async function showUser() {
  $("#user").textContent = (await get("/auth/me")).username;
}

/** The budgets as they are now, or, without any, what was used. */
export async function showUsage() {
  const { budget, totals, warnings } = await get("/usage");
  const used = h("p", { class: "quiet" }, `${count(totals.tokens, "token")} used this month`);
  $("#usage").replaceChildren(...(budget.length ? budget.map(standing) : [used]));
  $("#warnings").replaceChildren(...warnings.map((warning) => h("p", {}, warning)));
}

function standing({ scope, limit, remaining, used, resets_at: resets }) {
  const [period, unit] = scope.split("_");
  const amount = (value) => (unit === "cost" ? `$${Number(value).toFixed(2)}` : Number(value).toLocaleString());
  const words = `${amount(remaining)} of ${amount(limit)}${unit === "cost" ? "" : " tokens"} left ${PERIODS[period]}`;
  const meter = h("meter", {
    min: 0,
    max: Number(limit),
    value: Number(used),
    high: Number(limit) * 0.8,
    optimum: 0,
    "aria-label": `Used ${PERIODS[period]}`,
  });
  return h("div", { class: "standing", title: `Full again ${moment(resets)}` }, h("p", {}, words), meter);
}
