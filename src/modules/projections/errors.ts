import { errorType } from "../../platform/errors.ts";

export const ProjectionNotFound = errorType("projection-not-found", 404, "There is no such projection");
