// Answers of the API that /work needs without network: the newest of each address is kept on the phone.

import { reader } from "../shell/frame.js";
import { get } from "../shell/http.js";
import { forgetValues, keepValue, readValue } from "../shell/kept.js";

const SESSION = "/api/v1/session";
// The platform is away: what was kept is better than nothing. Any other refusal is an answer.
export const isAway = (error) => error.status === undefined || error.status >= 502;

// Asks the platform; while it is away, what it said last.
export async function ask(url) {
  let answer;
  try {
    answer = await get(url);
  } catch (error) {
    if (!isAway(error)) throw error;
    const kept = await readValue(`answer ${url}`).catch(() => undefined);
    if (kept === undefined) throw error;
    return kept;
  }
  if (url === SESSION) await meet(answer);
  await keepValue(`answer ${url}`, answer).catch(() => {});
  return answer;
}

// What is kept is one person's: of somebody else before nothing is left.
async function meet({ name, user }) {
  const kept = await readValue(`answer ${SESSION}`).catch(() => undefined);
  if (kept && whoIs(kept) !== whoIs({ name, user })) await forgetValues().catch(() => {});
}

const whoIs = ({ name, user }) => user ?? `token ${name}`;

export const me = () => whoIs(reader());
