// One server for the window: started, stopped and started again, one at a time.
import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { counted, delay } from './backoff';
import { candidates, choose, prober } from './interpreter';
import { chosenPythons } from './pythons';

export type State = 'starting' | 'running' | 'without python' | 'restarting' | 'crashed';

/** The page of a rule is `<this>/<code>.md`; package.json has these opened as previews. */
export const RULES = vscode.Uri.from({ scheme: 'awaitest', path: '/awaitest-rules' });

const START_LIMIT = 60_000;
const FOLDER = /\$\{workspaceFolder\}/g;

/** `tell` hears each state, and the running one again where the server has news; `python` is the one it runs on. */
export class Server {
  private client: LanguageClient | undefined;
  private queue: Promise<void> = Promise.resolve();
  private waiting = false;
  private retry: NodeJS.Timeout | undefined;
  private crashes: number[] = [];
  private environments = '';

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
    private readonly tell: (state: State, python?: string) => void,
  ) {}

  /** Start, or stop and start again, with earlier crashes forgotten. */
  restart(): Promise<void> {
    this.crashes = [];
    return this.enqueue();
  }

  /** The answer to a request; undefined where no server runs. */
  async request<T>(method: string, params: object, token?: vscode.CancellationToken): Promise<T | undefined> {
    if (!this.client?.isRunning()) return undefined;
    return token ? this.client.sendRequest<T>(method, params, token) : this.client.sendRequest<T>(method, params);
  }

  execute<T>(command: string, args: unknown[] = [], token?: vscode.CancellationToken): Promise<T | undefined> {
    return this.request<T>('workspace/executeCommand', { command, arguments: args }, token);
  }

  /** Tell the server which Python the user chose for each folder, where that changed. */
  async sendEnvironments(): Promise<void> {
    const environments = await chosenPythons();
    const before = this.environments;
    this.environments = JSON.stringify(environments);
    if (this.environments === before || !this.client?.isRunning()) return;
    await this.client.sendNotification('awaitest/environments', { environments });
  }

  async stop(): Promise<void> {
    clearTimeout(this.retry);
    const client = this.client;
    this.client = undefined;
    if (client?.needsStop())
      await client.dispose().catch((error) => this.log.warn(`The server was not stopped in order: ${error}`));
  }

  /** Calls that come before an earlier one began are one. */
  private enqueue(): Promise<void> {
    if (!this.waiting) this.queue = this.queue.then(() => this.replace()).catch((error) => this.log.error(error));
    this.waiting = true;
    return this.queue;
  }

  private async replace(): Promise<void> {
    this.waiting = false;
    await this.stop();
    this.tell('starting');
    const environments = await chosenPythons();
    const [python, { createClient }] = await Promise.all([
      this.findPython(environments.map((chosen) => chosen.path)),
      import('./client'),
    ]);
    if (python === undefined) return this.tell('without python');
    this.environments = JSON.stringify(environments);
    const options = { environments, trusted: vscode.workspace.isTrusted, rulePages: `${RULES}` };
    const client = createClient(python, this.context, options, this.log, () => this.crashed(client));
    this.client = client;
    client.onNotification('awaitest/changed', () => this.tell('running', python));
    const limit = setTimeout(() => client.serverProcess?.kill(), START_LIMIT);
    try {
      await client.start();
      this.tell('running', python);
    } catch {
      this.crashed(client); // the client has told why
    } finally {
      clearTimeout(limit);
    }
  }

  private crashed(client: LanguageClient): void {
    if (client !== this.client) return;
    this.crashes = counted(this.crashes, Date.now());
    const wait = delay(this.crashes.length);
    this.tell(wait === undefined ? 'crashed' : 'restarting');
    if (wait !== undefined) this.retry = setTimeout(() => this.enqueue(), wait);
  }

  private findPython(chosen: readonly string[]): Promise<string | undefined> {
    const trusted = vscode.workspace.isTrusted ? vscode.workspace.workspaceFolders : undefined;
    const folders = (trusted ?? []).map(({ uri }) => uri.fsPath);
    const setting = vscode.workspace.getConfiguration('awaitest').get<string[]>('interpreter') ?? [];
    const command = setting.map((part) => part.replace(FOLDER, folders[0] ?? ''));
    const probe = prober(this.context.asAbsolutePath('server'));
    return choose(candidates({ setting: command, chosen, folders }), probe, (line) => this.log.info(line));
  }
}
