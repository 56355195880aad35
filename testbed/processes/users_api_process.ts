/** The users API as a child process in its own sandbox. */
import { RoleProcess, type RoleProcessOptions } from "./role_process.ts";

/** How an API runs. */
export interface UsersApiProcessOptions extends RoleProcessOptions {
  /** @default 0: any free one */
  readonly port?: number;
}

/** A running users API. It is ready once it listens. */
export class UsersApiProcess extends RoleProcess {
  /** Starts an API. It listens at {@link url} once {@link ready} resolves. */
  static start({ port = 0, ...options }: UsersApiProcessOptions): UsersApiProcess {
    return new UsersApiProcess({
      name: "users-api",
      script: "publisher/api/users_api.ts",
      permissionSet: "users-api",
      folder: "users",
      args: ["--port", String(port)],
    }, options);
  }
}
