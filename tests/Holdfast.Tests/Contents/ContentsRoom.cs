using System.Text;
using Holdfast.Engine.Contents;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Supervision;
using Holdfast.Tests.Executions;
using Holdfast.Tests.Fakes;

namespace Holdfast.Tests.Contents;

/// <summary>
/// The operations over a real folder, a real store and a data directory, with something outside the root that nobody may reach.
/// </summary>
internal sealed class ContentsRoom : IAsyncDisposable
{
    public const string Secret = "secret";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("holdfast-contents-");

    public ContentsRoom()
    {
        Directory.CreateDirectory(Root);
        Directory.CreateDirectory(Outside);
        File.WriteAllText(Path.Combine(Outside, "secret.txt"), Secret);
        Folders = new AttemptFolders(Path.Combine(_folder.FullName, "attempts"), Path.Combine(_folder.FullName, "run"));
        Unsaved = new UnsavedResults(Ledger.Store, Folders);
        Contents = Open();
    }

    public string Root => Path.Combine(_folder.FullName, "root");
    public string Outside => Path.Combine(_folder.FullName, "outside");
    public string Data => Path.Combine(_folder.FullName, "data");
    public string TrashFolder => Path.Combine(_folder.FullName, "Trash");
    public TemporaryLedger Ledger { get; } = new();
    public FakeClock Clock => Ledger.Clock;
    public AttemptFolders Folders { get; }
    public UnsavedResults Unsaved { get; }
    public ContentsOperations Contents { get; private set; }

    public ContentsOperations Open(bool hasTrash = true, bool allowsHidden = false) =>
        Contents = new ContentsOperations(
            Root,
            Data,
            new ContentsOptions { TrashFolder = hasTrash ? TrashFolder : null, AllowsHidden = allowsHidden },
            Unsaved,
            Clock
        );

    public static ContentsPath At(string path) => ContentsPath.Parse(path);

    public string PathOf(string name) => Path.Combine(Root, name);

    public void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!);
        File.WriteAllText(PathOf(name), text);
    }

    public string Read(string name) => File.ReadAllText(PathOf(name));

    public ContentsModel Get(string path) => Contents.Get.Run(new ContentsQuery(At(path)));

    public ContentsModel Copy(string from, string to) => Contents.Copy.Run(At(from), At(to));

    public static string Text(ContentsModel model) => Encoding.UTF8.GetString(((ContentsBody.Bytes)model.Content!).Value.Span);

    public ContentsModel SaveText(string path, string text) => Contents.Save.Run(Text(path, text)).Model;

    public ContentsModel SaveNotebook(string path, string json) =>
        Contents.Save.Run(new ContentsToSave(At(path), ContentsType.Notebook) { Content = Encoding.UTF8.GetBytes(json) }).Model;

    public static ContentsToSave Text(string path, string text) =>
        new(At(path), ContentsType.File)
        {
            Format = ContentsFormat.Text,
            Content = Encoding.UTF8.GetBytes(System.Text.Json.Nodes.JsonValue.Create(text).ToJsonString()),
        };

    /// <summary>What lies in the root and is not for people to see.</summary>
    public string[] Leftovers() => [.. Directory.EnumerateFiles(Root, ".holdfast-*", SearchOption.AllDirectories)];

    public async ValueTask DisposeAsync()
    {
        await Ledger.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
