/** Thrown for a command that nft would refuse or that is not simulated; names the line, from 1. */
export class NftError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
    this.name = "NftError";
    this.line = line;
  }
}
