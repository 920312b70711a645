// The page /work.

import { startPage } from "../shell/frame.js";

await startPage({});
