// The page /account.

import { startPage } from "../shell/frame.js";

await startPage({});
