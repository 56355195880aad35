/** What to run on a machine that has neither Docker nor RabbitMQ. */
import type { PLATFORM } from "@ecomarket/shared/process/platform";

/** The one command that gets this machine a broker, by system and by the package manager it has. */
export function installAdvice(
  platform: typeof PLATFORM,
  has: (program: string) => boolean,
): string {
  if (platform === "darwin") return "brew install rabbitmq";
  if (platform === "windows") return "winget install Docker.DockerDesktop (then start it)";
  if (has("apt-get")) return "sudo apt-get install -y rabbitmq-server";
  if (has("dnf")) return "sudo dnf install -y rabbitmq-server";
  if (has("pacman")) return "sudo pacman -S rabbitmq";
  return "curl -fsSL https://get.docker.com | sh";
}

/** Whether `program` is in a folder where Linux keeps its programs. */
export function hasProgram(program: string): boolean {
  return ["/usr/bin", "/bin", "/usr/sbin", "/usr/local/bin"].some((folder) => {
    try {
      return Deno.statSync(`${folder}/${program}`).isFile;
    } catch {
      return false;
    }
  });
}
