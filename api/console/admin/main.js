// The page /admin.

import { startPage } from "../shell/frame.js";

await startPage({});
