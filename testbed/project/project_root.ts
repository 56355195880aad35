/** Where the project is. */
import { fileURLToPath } from "node:url";

/** The project's root folder: permission sets and scripts are found from there. */
export const PROJECT_ROOT = fileURLToPath(new URL("../..", import.meta.url));
