using System.Globalization;
using System.IO.Compression;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Notebooks.Conversion;

/// <summary>
/// A notebook in another format. Where that takes several files, such as a page and its pictures, they are in one ZIP archive.
/// </summary>
public sealed record ConvertedNotebook(byte[] Content, string FileName, string MediaType);

/// <summary>
/// Has <c>jupyter nbconvert</c> convert a notebook. Nothing is executed. It works on a copy in a folder of its own, so that it can change
/// nothing else, and is ended when it takes too long.
/// Errors: not-supported, conversion-failed.
/// </summary>
public sealed class ConvertNotebook(string workFolder, SupervisorReaper reaper, TimeProvider time) : IDisposable
{
    private const int AtOnceMax = 2; // Each is a Python interpreter of some hundred megabytes.
    private const int ComplaintMax = 2000;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly SemaphoreSlim _places = new(AtOnceMax);
    private int _isSwept;

    public async Task<ConvertedNotebook> RunAsync(byte[] notebook, string name, string format, CancellationToken cancellationToken)
    {
        Actor.Does(nameof(ConvertNotebook), name, format);
        (string program, string type) = ConversionFormats.Require(format);
        await _places.WaitAsync(cancellationToken);
        string folder = Path.Combine(workFolder, Ulid.New(time));
        try
        {
            Prepare(folder);
            string input = Path.Combine(folder, "notebook.ipynb");
            await File.WriteAllBytesAsync(input, notebook, cancellationToken);
            string stem = Path.GetFileNameWithoutExtension(name) is { Length: > 0 } given ? given : "notebook";
            string output = Path.Combine(folder, "out");
            _ = Directory.CreateDirectory(output, OwnerOnly);
            await ConvertAsync(
                folder,
                [program, "--to", format, "--output-dir", output, "--output", stem, "--log-level", "ERROR", input],
                cancellationToken
            );
            return Collect(output, stem, type);
        }
        finally
        {
            Remove(folder);
            _places.Release();
        }
    }

    public void Dispose() => _places.Dispose();

    private async Task ConvertAsync(string folder, string[] argv, CancellationToken cancellationToken)
    {
        string complaints = Path.Combine(folder, "complaints");
        int log = Libc.Open(complaints, Libc.OpenReadWrite | Libc.OpenCreate | Libc.OpenCloseOnExec, Libc.OwnerReadWrite);
        (int pid, Task<WaitStatus> end) = reaper.Spawn(
            new ChildStart(argv, [.. ServerEnvironment.Inherited().Select(static v => $"{v.Key}={v.Value}")], folder)
            {
                StandardOutput = log,
                StandardError = log,
            }
        );
        _ = Libc.Close(log);
        if (pid < 0)
        {
            throw Failed(Path.GetFileName(argv[0]), System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(-pid));
        }

        WaitStatus status;
        try
        {
            status = await end.WaitAsync(Patience, time, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            _ = Libc.Kill(-pid, Libc.SigKill); // Its own session, and not reaped yet, or the end would have come: the group is ours.
            throw e is TimeoutException
                ? Failed(
                    "nbconvert",
                    string.Create(CultureInfo.InvariantCulture, $"it had not finished after {Patience.TotalMinutes} minutes.")
                )
                : e;
        }

        if (status.ExitCode != 0)
        {
            string said = File.ReadAllText(complaints).Trim();
            // Where in Python it failed helps nobody here.
            said = said.StartsWith("Traceback", StringComparison.Ordinal) ? said[(said.LastIndexOf('\n') + 1)..] : said;
            throw Failed(
                "nbconvert",
                said.Length == 0 ? status.ToString()
                    : said.Length <= ComplaintMax ? said
                    : "..." + said[^ComplaintMax..]
            );
        }
    }

    private static ConvertedNotebook Collect(string output, string stem, string type)
    {
        string[] files = Directory.GetFiles(output, "*", SearchOption.AllDirectories);
        if (files is [var only])
        {
            return new ConvertedNotebook(File.ReadAllBytes(only), Path.GetFileName(only), type);
        }

        using var archive = new MemoryStream();
        using (var zip = new ZipArchive(archive, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (string file in files.Order(StringComparer.Ordinal))
            {
                zip.CreateEntryFromFile(file, Path.GetRelativePath(output, file));
            }
        }

        return files.Length > 0
            ? new ConvertedNotebook(archive.ToArray(), stem + ".zip", "application/zip")
            : throw Failed("nbconvert", "it made no file.");
    }

    private void Prepare(string folder)
    {
        if (Interlocked.Exchange(ref _isSwept, 1) == 0)
        {
            Remove(workFolder); // What a server before this one was in the middle of.
        }

        _ = Directory.CreateDirectory(folder, OwnerOnly);
    }

    private static void Remove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not there, or found again at the next start.
        }
    }

    private static RefusedException Failed(string program, string why) => new(ErrorCodes.ConversionFailed, $"{program}: {why}");
}
