// Asks the Python extensions, where there are any, which environment the user chose for a folder.
import * as vscode from 'vscode';

/** What is used of the interfaces of the newer extension, and of the older one. */
interface Api {
  readonly getEnvironment?: (folder: vscode.Uri) => Promise<{ execInfo?: { run: { executable: string } } } | undefined>;
  readonly onDidChangeEnvironment?: vscode.Event<unknown>;
  readonly environments?: {
    getActiveEnvironmentPath(folder: vscode.Uri): { path: string };
    readonly onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

const OLDER = 'ms-python.python';
const NEWER = 'ms-python.vscode-python-envs';
const PATIENCE = 5_000;

/** A folder, by its URI, and the Python chosen for it. */
export interface Chosen {
  readonly uri: string;
  readonly path: string;
}

/** The Python chosen for each folder of a trusted workspace. */
export async function chosenPythons(): Promise<Chosen[]> {
  const api = vscode.workspace.isTrusted ? await findApi() : undefined;
  const folders = (api && vscode.workspace.workspaceFolders) ?? [];
  const asked = folders.map(async ({ uri }) => ({ uri: `${uri}`, path: api && (await within(ask(api, uri))) }));
  return (await Promise.all(asked)).filter((answer): answer is Chosen => Boolean(answer.path));
}

/** Calls back whenever the user chooses another Python. */
export async function onDidChoose(listener: () => void): Promise<vscode.Disposable | undefined> {
  const api = await findApi();
  return (api?.onDidChangeEnvironment ?? api?.environments?.onDidChangeActiveEnvironmentPath)?.(listener);
}

async function findApi(): Promise<Api | undefined> {
  const newer = vscode.workspace.getConfiguration('python').get<boolean>('useEnvironmentsExtension');
  for (const id of newer ? [NEWER, OLDER] : [OLDER, NEWER]) {
    const extension = vscode.extensions.getExtension<Api | undefined>(id);
    const api = extension && (await within(Promise.resolve(extension.activate())));
    if (api?.getEnvironment || api?.environments) return api;
  }
  return undefined;
}

async function ask(api: Api, folder: vscode.Uri): Promise<string | undefined> {
  if (api.getEnvironment) return (await api.getEnvironment(folder))?.execInfo?.run.executable;
  return api.environments?.getActiveEnvironmentPath(folder).path;
}

/** What a promise gives, undefined where it fails or is slow: other extensions must not hold ours up. */
function within<T>(promise: Promise<T>): Promise<T | undefined> {
  const limit = new Promise<undefined>((resolve) => setTimeout(resolve, PATIENCE, undefined));
  return Promise.race([promise.catch(() => undefined), limit]);
}
