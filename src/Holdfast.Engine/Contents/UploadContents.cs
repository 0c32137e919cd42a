using System.Text;
using Holdfast.Engine.Notebooks;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Contents;

/// <summary>
/// Takes a file in chunks: 1, 2, … and -1 for the last. They go to a hidden file beside it, which takes its place at the end: until then
/// the old file is what everybody sees.
/// 1. the upload is noted in the data directory, 2. its file is made, 3. chunks are added in order, 4. owner, mode, fsync, rename, 5. the
/// note goes. A server that dies before 4 leaves note and file, and the next one removes both; the client is told to begin again. One that
/// dies after 4 leaves a note that means nothing.
/// Errors: as <see cref="SaveContents"/>, and upload-out-of-order.
/// </summary>
public sealed class UploadContents(ContentsRoot root, string notesFolder, TimeProvider time)
{
    public const int LastChunk = -1;

    private const int NoteBytesMax = 64 * 1024; // A path.

    private readonly Lock _lock = new();

    // By the file's real path; guarded by _lock, and held only for looking things up.
    private readonly Dictionary<string, Upload> _uploads = [];

    private sealed class Upload(string note, string temporary)
    {
        public string Note { get; } = note;

        /// <summary>The file's own path, for the note; it is opened through the folder that each request holds.</summary>
        public string Temporary { get; } = temporary;
        public int NextChunk { get; set; } = 1; // guarded by the upload itself, as is all below
        public long LastAt { get; set; }
        public long Length { get; set; }
        public bool IsOver { get; set; }
    }

    public SavedContents Run(ContentsToSave wanted, int chunk)
    {
        // The upload is the deed, and its last chunk is when it is done; a record of each would be a sync of the store for each.
        Actor.Does(chunk == LastChunk ? nameof(UploadContents) : null, wanted.Path.Text);
        if (wanted.Type != ContentsType.File || wanted.Format is not (ContentsFormat.Text or ContentsFormat.Base64))
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, "Only files are sent in chunks, with the format text or base64.");
        }

        using Place place = root.FindToChange(wanted.Path);
        if (place.IsFolder || place.Path.IsRoot)
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, $"'{place.Path}' is a folder; a file cannot be saved over it.");
        }

        byte[] bytes = SaveContents.Decode(wanted.Content.Span, wanted.Format, place.Path);
        Upload upload = chunk == 1 ? Begin(place) : Continue(place, chunk);
        lock (upload)
        {
            try
            {
                return Add(place, upload, chunk, bytes);
            }
            catch (Exception e)
            {
                Abandon(place.RealPath, upload, place.Beside(Path.GetFileName(upload.Temporary)));
                WholeFile.ThrowIfFull(e, place.RealPath);
                throw e is IOException or UnauthorizedAccessException ? SaveContents.NotWritable(place.Path, e) : e;
            }
        }
    }

    /// <summary>Removes what uploads of an earlier server left. To be called once, before any upload.</summary>
    public void RemoveLeftovers()
    {
        if (!Directory.Exists(notesFolder))
        {
            return;
        }

        foreach (string note in Directory.EnumerateFiles(notesFolder))
        {
            try
            {
                string temporary = Encoding.UTF8.GetString(PlainFile.Read(note, NoteBytesMax));
                if (Path.GetFileName(temporary) == Path.GetFileName(note))
                {
                    WholeFile.Discard(temporary);
                }

                File.Delete(note);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The next start tries again.
            }
        }
    }

    private SavedContents Add(Place place, Upload upload, int chunk, byte[] bytes)
    {
        if (upload.IsOver || (chunk != LastChunk && chunk != upload.NextChunk))
        {
            throw OutOfOrder(place.Path, chunk);
        }

        string temporary = place.Beside(Path.GetFileName(upload.Temporary));
        using (
            FileStream file = chunk == 1 ? WholeFile.Create(temporary, isPrivate: place.IsFile) : OpenAgain(place, temporary, upload, chunk)
        )
        {
            file.Write(bytes);
            upload.Length += bytes.Length;
            upload.NextChunk++;
            upload.LastAt = time.GetTimestamp();
            if (chunk != LastChunk)
            {
                file.Flush();
                return new SavedContents(Model(place, upload), IsNew: place.Status is null);
            }

            WholeFile.Finish(file, FileStatus.Of(place.Access));
        }

        using (WholeFile.Hold(place.RealPath))
        {
            WholeFile.Put(temporary, place.Access);
        }

        bool isNew = place.Status is null;
        Forget(place.RealPath, upload);
        return new SavedContents(ContentsModels.OfChanged(place, ContentsType.File), isNew);
    }

    private Upload Begin(Place place)
    {
        GiveUpIdle();
        string name = $".holdfast-{Ulid.New(time)}.upload";
        var upload = new Upload(Path.Combine(notesFolder, name), Path.Combine(Path.GetDirectoryName(place.RealPath)!, name))
        {
            LastAt = time.GetTimestamp(),
        };
        Upload? before;
        lock (_lock)
        {
            if (_uploads.TryGetValue(place.RealPath, out before) && time.GetElapsedTime(before.LastAt) < ContentsLimits.UploadQuietTime)
            {
                throw new RefusedException(
                    ErrorCodes.UploadOutOfOrder,
                    $"Somebody else is uploading '{place.Path}' at this moment. Try again in a few seconds."
                );
            }

            _uploads[place.RealPath] = upload;
        }

        if (before is not null)
        {
            lock (before)
            {
                Abandon(place.RealPath, before, place.Beside(Path.GetFileName(before.Temporary)));
            }
        }

        try
        {
            Directory.CreateDirectory(notesFolder);
            DurableFile.Replace(upload.Note, Encoding.UTF8.GetBytes(upload.Temporary));
            return upload;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Forget(place.RealPath, upload); // Nobody is uploading it: the next one may begin as soon as there is room.
            WholeFile.ThrowIfFull(e, place.RealPath);
            throw SaveContents.NotWritable(place.Path, e);
        }
    }

    private Upload Continue(Place place, int chunk)
    {
        lock (_lock)
        {
            return _uploads.TryGetValue(place.RealPath, out Upload? upload) ? upload : throw OutOfOrder(place.Path, chunk);
        }
    }

    private static FileStream OpenAgain(Place place, string temporary, Upload upload, int chunk)
    {
        // Exactly the file that was begun, at exactly the length that was acknowledged.
        if (EntryStatus.Of(temporary) is not { Kind: EntryKind.File } status || status.Size != upload.Length)
        {
            throw OutOfOrder(place.Path, chunk);
        }

        return new FileStream(temporary, FileMode.Append, FileAccess.Write, FileShare.None);
    }

    private ContentsModel Model(Place place, Upload upload) =>
        new()
        {
            Path = place.Path,
            Type = ContentsType.File,
            CreatedAt = time.NowMicroseconds(),
            ModifiedAt = time.NowMicroseconds(),
            Size = upload.Length,
            IsWritable = true,
            MimeType = MimeTypes.Of(place.Path.Name),
        };

    private void GiveUpIdle()
    {
        KeyValuePair<string, Upload>[] idle;
        lock (_lock)
        {
            idle = [.. _uploads.Where(u => time.GetElapsedTime(u.Value.LastAt) > ContentsLimits.UploadIdleMax)];
        }

        foreach ((string path, Upload upload) in idle)
        {
            lock (upload)
            {
                Abandon(path, upload, upload.Temporary);
            }
        }
    }

    private void Abandon(string realPath, Upload upload, string temporary)
    {
        WholeFile.Discard(temporary);
        Forget(realPath, upload);
    }

    private void Forget(string realPath, Upload upload)
    {
        upload.IsOver = true;
        WholeFile.Discard(upload.Note);
        lock (_lock)
        {
            if (_uploads.GetValueOrDefault(realPath) == upload)
            {
                _uploads.Remove(realPath);
            }
        }
    }

    private static RefusedException OutOfOrder(ContentsPath path, int chunk) =>
        new(
            ErrorCodes.UploadOutOfOrder,
            $"Chunk {chunk} of '{path}' does not follow what has come before. The upload has to begin again with chunk 1; the file is as it was."
        );
}
