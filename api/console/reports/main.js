// The page /reports.

import { startPage } from "../shell/frame.js";

await startPage({});
