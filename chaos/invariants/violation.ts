/** An invariant of HAZARDS does not hold. `rule` is short and stable; the message carries the state. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(`${rule}: ${message}`);
    this.rule = rule;
  }
}
