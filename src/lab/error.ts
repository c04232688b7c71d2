/** The lab could not do what it was asked; the message is what the tool or the kernel said. */
export class LabError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "LabError";
  }
}
