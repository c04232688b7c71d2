/** `kubectl edit` opens the person's own editor. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Opens a text in $KUBE_EDITOR, $EDITOR or vi; the text as it was saved, or "" when the editor failed. */
export function editText(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "kubectl-edit-"));
  const file = join(folder, "edit.yaml");
  try {
    writeFileSync(file, text);
    const editor = process.env["KUBE_EDITOR"] ?? process.env["EDITOR"] ?? "vi";
    const { status } = spawnSync(`${editor} "$0"`, [file], { shell: true, stdio: "inherit" });
    return status === 0 ? readFileSync(file, "utf8") : "";
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
