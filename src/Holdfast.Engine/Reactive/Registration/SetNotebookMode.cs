using Holdfast.Engine.Notebooks;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>
/// Makes a notebook reactive or linear, and autorun or lazy, in its own metadata. Errors: notebook-*, not-supported (no Python).
/// </summary>
public sealed class SetNotebookMode(ReactiveNotebooks notebooks, string root)
{
    /// <param name="isReactive">Null leaves it as it is; so does <paramref name="isAutorun"/>.</param>
    public async Task<ReactiveNotebook> RunAsync(string path, bool? isReactive, bool? isAutorun, CancellationToken cancellationToken)
    {
        path = NotebookStorage.RealPathOf(path, root);
        string?[] wanted = [Word(isReactive, "reactive", "linear"), Word(isAutorun, "autorun", "lazy")];
        Actor.Does(nameof(SetNotebookMode), path, string.Join(", ", wanted.OfType<string>()));
        using IDisposable turn = await notebooks.TakeTurnAsync(path, cancellationToken);
        return await notebooks.ChangeAsync(
            path,
            file =>
            {
                if (isReactive == true)
                {
                    ThrowIfItCannotBe(file);
                }

                file.SetReactivity(isReactive ?? file.IsReactive, isAutorun ?? file.IsAutorun);
            },
            cancellationToken
        );
    }

    internal static void ThrowIfItCannotBe(NotebookFile file)
    {
        if (file.Language is { } language && !language.Equals("python", StringComparison.OrdinalIgnoreCase))
        {
            throw new RefusedException(
                ErrorCodes.NotSupported,
                $"{file.Path} is written in {language}; only notebooks of Python and SQL can be reactive."
            );
        }
    }

    private static string? Word(bool? isWanted, string yes, string no) =>
        isWanted switch
        {
            true => yes,
            false => no,
            null => null,
        };
}
